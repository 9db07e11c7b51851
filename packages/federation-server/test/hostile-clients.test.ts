import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { sendMalformed } from "./malformed-requests.ts";
import { plainClient, takePart } from "./plain-client.ts";
import { makeUpdate } from "./small-federation.ts";
import { createServing, type ServedSmall } from "./start-server.ts";

const serving = createServing();
afterEach(() => serving.close());

const portOf = ({ server }: ServedSmall): number => Number(new URL(server.url).port);

/** Lets all clients do what they are asked until the federation is over. */
async function finish(federation: ServedSmall): Promise<void> {
  await Promise.all(
    [...federation.tokens].map(([name, token]) =>
      takePart(
        () => federation.server.url,
        token,
        (round, network) => makeUpdate(name, round, network),
      ),
    ),
  );
}

describe("a server", () => {
  it("answers malformed requests with what is wrong, lets nothing of them in, and goes on", async () => {
    const federation = await serving.serve({ plan: { rounds: 2 } });
    const token = federation.tokens.get("ada") as string;
    const statuses = await sendMalformed(portOf(federation), { seed: 1, count: 400, token });
    expect([...statuses.keys()].filter((status) => status >= 500)).toEqual([]);
    expect(statuses.get(400)).toBeGreaterThan(20);
    expect(statuses.get(401)).toBeGreaterThan(5);
    const { members, updates } = federation.server.state;
    expect(Object.keys(members).filter((name) => name !== "ada")).toEqual([]);
    expect(updates).toEqual([]);
    await finish(federation);
    expect(federation.server.state).toMatchObject({ status: "finished" });
    expect(federation.server.state.history.map(({ updates: counted }) => counted.length)).toEqual([3, 3]);
    const journal = readFileSync(join(federation.config.folder, "journal.jsonl"), "utf8");
    // The first line describes the federation; no event has a number that JSON made null.
    expect(journal.slice(journal.indexOf("\n"))).not.toContain("null");
  });

  it("goes on beside clients that send half a request, or a byte at a time", async () => {
    const federation = await serving.serve({ plan: { rounds: 2 }, limits: { requestSeconds: 1 } });
    const token = federation.tokens.get("ada") as string;
    const hash = "0".repeat(64);
    const head = `PUT /v1/uploads/${hash} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/octet-stream\r\nContent-Length: 900\r\n\r\n`;
    const sockets = Array.from({ length: 20 }, (_, i) => {
      const socket = connect(portOf(federation), "127.0.0.1");
      socket.on("error", () => undefined);
      socket.write(i % 2 === 0 ? head : head.slice(0, 60));
      return socket;
    });
    const drip = setInterval(() => {
      for (const [i, socket] of sockets.entries()) if (i % 4 === 0 && !socket.destroyed) socket.write("x");
    }, 50);
    try {
      await finish(federation);
    } finally {
      clearInterval(drip);
    }
    expect(federation.server.state).toMatchObject({ status: "finished" });
    // Those that sent a part of the body were cut off, or were replaced by the client's next upload.
    await Promise.all(
      sockets.filter((_, i) => i % 4 === 0).map((socket) => socket.destroyed || once(socket, "close")),
    );
    for (const socket of sockets) socket.destroy();
  });

  it("does not read what a client sends beyond what it announced", async () => {
    const federation = await serving.serve();
    const client = plainClient(federation.server.url, federation.tokens.get("ada"));
    await client.task();
    const endless = new ReadableStream({
      pull(controller) {
        controller.enqueue(new Uint8Array(65_536));
      },
    });
    const answer = await client
      .request("PATCH", `/v1/uploads/${"1".repeat(64)}`, {
        ...{ body: endless, duplex: "half" as const },
        headers: {
          "content-type": "application/octet-stream",
          "upload-offset": "0",
          "upload-length": "1000",
        },
      })
      .then(({ status }) => status)
      .catch(() => 0);
    // The connection may be closed before the answer is read.
    expect([0, 413]).toContain(answer);
    const head = await client.request("HEAD", `/v1/uploads/${"1".repeat(64)}`);
    expect(Number(head.headers.get("upload-offset"))).toBeLessThanOrEqual(1000);
  });
});
