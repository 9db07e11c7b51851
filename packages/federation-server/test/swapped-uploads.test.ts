import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Workers } from "@isthmus/federation-server";
import { afterEach, describe, expect, it } from "vitest";
import { createInlineWorkers } from "../src/work/workers.ts";
import { type Body, bodyOf, hashOfAggregate, makeUpdate } from "./small-federation.ts";
import { createServing, type ServedSmall } from "./start-server.ts";

const serving = createServing();
afterEach(() => serving.close());

/** Workers that let something else happen after each check, before its result is told. */
function workersWith(afterCheck: () => Promise<void>): Workers {
  const inline = createInlineWorkers();
  return {
    ...inline,
    async check(request) {
      const checked = await inline.check(request);
      await afterCheck();
      return checked;
    },
  };
}

/** Returns bytes of the same length that no check would let pass. */
function spoiled({ bytes, hash }: Body): Body {
  return { bytes: Buffer.concat([bytes.subarray(0, -40), Buffer.alloc(40, 0xff)]), hash };
}

/** Sends all bytes but the last one, which it sends when the returned function is called. */
async function sendAllButLast(
  federation: ServedSmall,
  name: string,
  { bytes, hash }: Body,
): Promise<() => Promise<number>> {
  let finish: () => void = () => undefined;
  const body = new ReadableStream({
    start(controller) {
      controller.enqueue(new Uint8Array(bytes.subarray(0, -1)));
      finish = () => {
        controller.enqueue(new Uint8Array(bytes.subarray(-1)));
        controller.close();
      };
    },
  });
  const headers = { "content-type": "application/octet-stream", "upload-length": String(bytes.length) };
  const client = federation.client(name);
  const answer = client.request("PUT", `/v1/uploads/${hash}`, { body, duplex: "half", headers });
  await expect
    .poll(async () => (await client.request("HEAD", `/v1/uploads/${hash}`)).headers.get("upload-offset"))
    .toBe(String(bytes.length - 1));
  // If the server closes the connection, that is no failure of the test by itself.
  const status = answer.then((response) => response.status).catch(() => 0);
  return () => {
    finish();
    return status;
  };
}

describe("an upload that is replaced while it is checked", () => {
  it("does not change what counts, nor the network of the round", async () => {
    let swap: (() => Promise<void>) | undefined;
    let finish: (() => Promise<number>) | undefined;
    const federation = await serving.serve(
      { plan: { rounds: 1 } },
      workersWith(async () => {
        await swap?.();
      }),
    );
    for (const name of federation.tokens.keys()) await federation.client(name).task();
    const task = await federation.client("ada").task(5);
    const network = await federation.client("ada").model(task.network);
    const sent = [];
    for (const name of federation.tokens.keys()) {
      const body = await makeUpdate(name, 1, network);
      sent.push({ client: name, examples: 100, bytes: body.bytes });
      await federation.client(name).upload(body);
      swap =
        name === "bea"
          ? async () => {
              finish = await sendAllButLast(federation, name, spoiled(body));
            }
          : undefined;
      expect((await federation.client(name).send(1, body)).status).toBe(200);
      if (name !== "bea") continue;
      const updates = join(federation.config.folder, "updates");
      const [file = ""] = readdirSync(updates).filter((entry) => entry.includes(`.${name}.`));
      expect(bodyOf(readFileSync(join(updates, file))).hash).toBe(body.hash);
    }
    const { status, network: next } = await federation.server.finished;
    expect(status).toBe("finished");
    expect(next).toBe(await hashOfAggregate(federation, 1, network, sent));
    expect(await finish?.()).toBe(422);
  });

  it("counts if the other upload is refused, too", async () => {
    let during: (() => Promise<void>) | undefined;
    const federation = await serving.serve(
      {},
      workersWith(async () => {
        await during?.();
      }),
    );
    for (const name of federation.tokens.keys()) await federation.client(name).task();
    const client = federation.client("ada");
    const { network } = await client.task(5);
    const body = await makeUpdate("ada", 1, await client.model(network));
    await client.upload(body);
    const refused: number[] = [];
    during = async () => {
      const headers = { "content-type": "application/octet-stream", "upload-length": "1000000000000" };
      const answer = await client.request("PUT", `/v1/uploads/${body.hash}`, { body: "x", headers });
      refused.push(answer.status);
    };
    expect((await client.send(1, body)).status).toBe(200);
    expect(refused).toEqual([413]);
  });

  it("waits for the end of an upload that is still coming in", async () => {
    const federation = await serving.serve();
    for (const name of federation.tokens.keys()) await federation.client(name).task();
    const client = federation.client("ada");
    const { network } = await client.task(5);
    const body = await makeUpdate("ada", 1, await client.model(network));
    const finish = await sendAllButLast(federation, "ada", body);
    expect((await client.send(1, body)).status).toBe(409);
    expect(await finish()).toBe(204);
    expect((await client.send(1, body)).status).toBe(200);
  });
});
