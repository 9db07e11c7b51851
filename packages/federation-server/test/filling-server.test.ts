import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { saveCheckpoint } from "@isthmus/core";
import { lerp } from "@isthmus/interpolation";
import { parseNetwork } from "@isthmus/zoo";
import { afterEach, describe, expect, it } from "vitest";
import { createLying, withTasks } from "./lying-clients.ts";
import { answerOf, type GivenAnswer, type Lie } from "./lying-server.ts";
import { type Body, bodyOf } from "./small-federation.ts";

const lying = createLying();
afterEach(() => lying.close());

/** Bytes that a client allows; the network and its graph have a few thousand. */
const MOST = 100_000;

/** Lets a client that allows few bytes take part at a server that lies. */
async function joinLiar(lie: Lie, plan: object = { secure: null }) {
  const names = ["ada"];
  const { joined, federation } = await lying.join(lie, { names, plan, options: { mostBytes: MOST } });
  const folder = join(federation.folder, "ada");
  return { ended: joined[0] ?? Promise.reject(new Error("nobody joined")), folder, federation };
}

/** Answers a request for a file otherwise. */
const insteadOf =
  (path: RegExp, answer: () => GivenAnswer): Lie =>
  async (request, honest) =>
    path.test(request.path) && request.method === "GET" ? answer() : honest();

/** Sends without end; counts the bytes that were taken. */
function endless(headers: Record<string, string> = {}) {
  const sent = { bytes: 0 };
  const body = new Readable({
    read(size) {
      sent.bytes += size;
      this.push(Buffer.alloc(size, 7));
    },
  });
  return { sent, answer: { status: 200, body, headers: new Headers(headers) } };
}

const [NETWORK, GRAPH] = [/^\/v1\/models\//, /^\/v1\/graph$/];

describe("a client whose server fills its disk", () => {
  it.each([
    [
      "an endless network",
      NETWORK,
      {},
      /download the network as it may have 100000 bytes: the server sends more/,
    ],
    [
      "graph",
      GRAPH,
      {},
      /download the graph as it may have 100000 bytes: the server sends more; .*--most-bytes/,
    ],
    ["a huge network", NETWORK, { "content-length": "900000000000" }, /the server announces 900000000000/],
    ["a network that is longer than it says", NETWORK, { "content-length": "10" }, /its SHA-256 must be/],
    ["a graph that is longer than it says", GRAPH, { "content-length": "10" }, /graph\.onnx/],
  ] as const)("refuses %s, and keeps nothing of it", async (_, path, headers, message) => {
    const all: { bytes: number }[] = [];
    const { ended, folder } = await joinLiar(
      insteadOf(path, () => {
        const { sent, answer } = endless(headers);
        all.push(sent);
        return answer;
      }),
    );
    await expect(ended).rejects.toThrow(message);
    expect(all).toHaveLength(1);
    expect(all[0]?.bytes).toBeLessThan(2 ** 24);
    for (const name of readdirSync(folder)) {
      expect(name).not.toMatch(/\.part$/);
      expect(statSync(join(folder, name)).size).toBeLessThan(MOST);
    }
  });

  it("counts the bytes of a packed answer as they are unpacked", async () => {
    const body = gzipSync(Buffer.alloc(100 * MOST));
    expect(body.length).toBeLessThan(MOST);
    const headers = new Headers({ "content-encoding": "gzip" });
    const { ended } = await joinLiar(insteadOf(NETWORK, () => ({ status: 200, body, headers })));
    await expect(ended).rejects.toThrow(/the server sends more/);
  });

  it("has no larger folder after many rounds, each with another network that breaks off", async () => {
    const networks: Body[] = [];
    const sizes: number[] = [];
    let folder = "";
    const cut = new Set<string>();
    const lie: Lie = async (request, honest) => {
      const { method, path } = request;
      const hash = path.slice("/v1/models/".length);
      const network = networks.find((one) => one.hash === hash);
      if (network !== undefined) {
        if (cut.has(hash)) return { status: 200, body: network.bytes };
        cut.add(hash);
        const length = String(network.bytes.length);
        const half = Readable.from([network.bytes.subarray(0, 900)]);
        return { status: 200, body: half, headers: new Headers({ "content-length": length }) };
      }
      if (path.startsWith("/v1/rounds/current")) {
        sizes.push(readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0));
        const [round, next] = [sizes.length, networks[sizes.length - 1]?.hash];
        if (next === undefined)
          return answerOf(200, { task: "finished", network: networks[0]?.hash, reason: null });
        return answerOf(200, { task: "train", round, network: next });
      }
      if (/\/updates$/.test(path)) return answerOf(200, {});
      if (method === "GET" && GRAPH.test(path)) await makeNetworks();
      return honest();
    };
    const makeNetworks = async (): Promise<void> => {
      const { initialize } = parseNetwork("mlp:8", { exampleShape: [4], classes: 2 });
      for (let round = 1; round <= 5; round++) {
        const path = join(folder, "..", "made.safetensors");
        await saveCheckpoint(lerp(initialize(0), initialize(round), 0.5), path, { overwrite: true });
        networks.push(bodyOf(readFileSync(path)));
      }
    };
    const joined = await joinLiar((request, honest) => {
      folder ||= joined.folder;
      return lie(request, honest);
    });
    const { rounds } = await joined.ended;
    expect(rounds).toEqual([1, 2, 3, 4, 5]);
    expect(cut.size).toBe(5);
    // Numbers of rounds and losses have more or fewer digits.
    expect(Math.abs((sizes[5] ?? 0) - (sizes[2] ?? 0))).toBeLessThan(100);
    expect(readdirSync(folder).filter((name) => /\.(part|tmp)$/.test(name))).toEqual([]);
  });

  it("masks no more words than the network has elements", async () => {
    const lie = withTasks((task) => ({ ...task, settings: { ...task.settings, elements: 2 ** 40 } }));
    const { joined, federation } = await lying.join(lie, { liars: 1 });
    await expect(joined[0]).rejects.toThrow(/must be of the 58 elements .* the server says 1099511627776/);
    expect(readdirSync(join(federation.folder, "ada"))).not.toContain("masked.bin");
  });
});
