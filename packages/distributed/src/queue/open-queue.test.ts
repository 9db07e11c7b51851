import { describe, expect, it } from "vitest";
import { openQueue } from "./open-queue.ts";

describe("openQueue()", () => {
  it.each(["redis://:s3same@x/y@127.0.0.1:6379", "redis://:sesame/7@127.0.0.1", "postgres://u:a@b@host/db"])(
    "refuses %s, which has a part of a password where its host is, without repeating it",
    async (address) => {
      const error = await openQueue(address).catch((reason: unknown) => reason);
      expect(String(error)).toMatch(/write \/ in a password as %2F, @ as %40/);
      expect(String(error)).not.toMatch(/s3same|sesame|a@b|x\/y/);
    },
  );

  it("refuses a server without a scheme, which would become a folder", async () => {
    await expect(openQueue("localhost:6379")).rejects.toThrow(/write redis:\/\/localhost:6379, or \.\/local/);
  });

  it("refuses an address of another kind", async () => {
    await expect(openQueue("amqp://localhost")).rejects.toThrow(/it begins with amqp:\/\//);
  });
});
