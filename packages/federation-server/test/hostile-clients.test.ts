import { once } from "node:events";
import { readFileSync, statSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { serveFederation } from "@isthmus/federation-server";
import { afterEach, describe, expect, it } from "vitest";
import { createInlineWorkers } from "../src/work/workers.ts";
import { renamed } from "./hostile-actions.ts";
import { sendMalformed } from "./malformed-requests.ts";
import { plainClient, takePart } from "./plain-client.ts";
import { makeFederation, makeUpdate } from "./small-federation.ts";
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

/** Waits until a socket takes more, or is closed, by whatever error. */
const untilWritable = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    socket.once("drain", resolve).once("close", resolve);
  });

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
    // The first line describes the federation; no event has a number that JSON made null, but nothing is carried.
    expect(journal.slice(journal.indexOf("\n")).replaceAll('"state":null', "")).not.toContain("null");
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

  it("keeps a small journal, and can be started again, after a flood of refused updates with long names", async () => {
    const federation = await serving.serve({ plan: { rounds: 2 } });
    const names = [...federation.tokens.keys()];
    for (const name of names) await federation.client(name).task();
    const client = federation.client("ada");
    const { network } = await client.task(5);
    const global = await client.model(network);
    for (let i = 0; i < 40; i++) {
      const body = renamed(global, `${i}${"<".repeat(1_000_000)}`);
      expect((await client.upload(body)).status).toBe(204);
      const answer = await client.send(1, body);
      expect(answer.status).toBe(422);
      expect((await answer.text()).length).toBeLessThan(1000);
    }
    const journal = join(federation.config.folder, "journal.jsonl");
    expect(statSync(journal).size).toBeLessThan(40_000);
    expect(federation.server.state.refusals).toBe(32);
    for (const path of ["/v1/summary", "/"]) {
      const page = await client.request("GET", path);
      expect((await page.text()).length).toBeLessThan(100_000);
    }
    await federation.server.close();
    const again = await serving.reopen(federation);
    expect(again.server.state.refusals).toBe(32);
    await finish(again);
    expect(again.server.state).toMatchObject({ status: "finished" });
  });

  it("keeps a small journal beside a client that joins and leaves without end", async () => {
    const federation = await serving.serve();
    const client = federation.client("ada");
    const statuses: number[] = [];
    for (let i = 0; i < 60; i++) {
      await client.task();
      statuses.push((await client.request("DELETE", "/v1/membership")).status);
    }
    expect(statuses.filter((status) => status === 204)).toHaveLength(20);
    expect(statuses.at(-1)).toBe(429);
    expect(federation.server.state.members["ada"]?.present).toBe(true);
    expect(statSync(join(federation.config.folder, "journal.jsonl")).size).toBeLessThan(10_000);
  });

  it("does not read bodies that no request of the kind has", async () => {
    const federation = await serving.serve();
    const token = federation.tokens.get("ada") as string;
    for (const method of ["GET", "DELETE", "OPTIONS"]) {
      const socket = connect(portOf(federation), "127.0.0.1");
      socket.on("error", () => undefined);
      let answer = "";
      socket.on("data", (data) => {
        answer += data.toString("latin1");
      });
      socket.write(
        `${method} /v1/federation HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nTransfer-Encoding: chunked\r\n\r\n`,
      );
      const chunk = Buffer.from(`10000\r\n${"x".repeat(65_536)}\r\n`);
      let sent = 0;
      while (!socket.destroyed && sent < 200 * chunk.length) {
        if (!socket.write(chunk)) await untilWritable(socket);
        sent += chunk.length;
      }
      expect([method, socket.destroyed]).toEqual([method, true]);
      expect(answer).toMatch(/^HTTP\/1\.1 4(13|04)/);
    }
    const client = federation.client("ada");
    expect((await client.request("DELETE", "/v1/membership")).status).toBe(204);
  });

  it("tells of too many watchers without an error in its log, and no name of a federation that is not public", async () => {
    const lines: string[] = [];
    const federation = await makeFederation({ public: false, name: "secret trial" });
    const server = await serveFederation(federation.config, {
      workers: createInlineWorkers(),
      onLog: (line) => lines.push(line),
    });
    try {
      const client = plainClient(server.url, federation.tokens.get("ada"));
      const abort = new AbortController();
      const headers = { authorization: `Bearer ${federation.tokens.get("ada")}` };
      const open = Array.from({ length: 105 }, () =>
        fetch(`${server.url}/v1/events`, { headers, signal: abort.signal }),
      );
      const statuses = (await Promise.all(open)).map(({ status }) => status);
      expect(statuses.filter((status) => status === 503)).toHaveLength(5);
      expect(lines.filter((line) => line.includes('"stack"'))).toEqual([]);
      abort.abort();
      const api = await plainClient(server.url, undefined).request("GET", "/v1/openapi.json");
      expect(await api.text()).not.toContain("secret trial");
      expect(await (await client.request("GET", "/v1/federation")).json()).toMatchObject({
        name: "secret trial",
      });
    } finally {
      await server.close();
      federation.remove();
    }
  });
});
