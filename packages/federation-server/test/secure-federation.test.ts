import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openCheckpoint, toFloat64 } from "@isthmus/core";
import {
  advance,
  beginFederation,
  decide,
  type FederationEvent,
  SECURE_PLAN_DEFAULTS,
} from "@isthmus/federated";
import { serveFederation } from "@isthmus/federation-server";
import type { ClientEvent } from "@isthmus/federation-server/client";
import { afterEach, describe, expect, it } from "vitest";
import { createInlineWorkers } from "../src/work/workers.ts";
import { makeTrust } from "./lying-clients.ts";
import { plainClient } from "./plain-client.ts";
import { joinAs, makeSecure as makeSmall } from "./secure-small.ts";
import { bodyOf, madeBy, type SmallFederation, type SmallOptions } from "./small-federation.ts";
import { createServing } from "./start-server.ts";

const serving = createServing();
const closers: (() => unknown)[] = [];
afterEach(async () => {
  await serving.close();
  for (const close of closers.splice(0).reverse()) await close();
});

async function makeSecure(options?: SmallOptions): Promise<SmallFederation> {
  const small = await makeSmall(options);
  closers.push(small.remove);
  return small;
}

async function numbersOf(path: string): Promise<number[]> {
  const network = await openCheckpoint(path);
  const values: number[] = [];
  for (const name of [...network.tensors.keys()].sort()) {
    const { data, dtype } = await network.read(name);
    values.push(...toFloat64(data, dtype));
  }
  await network.close();
  return values;
}

/** Returns the mean of two clients' updates by their examples. */
async function meanOf(federation: SmallFederation): Promise<number[]> {
  const [ada, bea] = [await numbersOf(madeBy(federation, "ada")), await numbersOf(madeBy(federation, "bea"))];
  const [a, b] = [40 + "a".charCodeAt(0), 40 + "b".charCodeAt(0)];
  return ada.map((x, i) => (a * x + b * (bea[i] as number)) / (a + b));
}

/** Bounds the error of a mean: two elements rounded to steps of 3 / 2^31 each, weighted, and f32. */
const LARGEST_ERROR = (2 * 3 * 2 ** -31) / ((2 * 137) / SECURE_PLAN_DEFAULTS.examplesCap) + 2 ** -23;

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
}

/** Returns the values of each tensor that is large enough to be known again, as they lie in files. */
async function bytesOf(path: string): Promise<Buffer[]> {
  const network = await openCheckpoint(path);
  const found: Buffer[] = [];
  for (const [name, { shape }] of network.tensors) {
    const { data } = await network.read(name);
    if (shape.length > 1) found.push(Buffer.from(data.buffer, data.byteOffset, 16));
  }
  await network.close();
  return found;
}

describe("a federation with secure: true", () => {
  it("sums the updates of those who stay, sees none, and goes on without one that drops out", async () => {
    const federation = await makeSecure();
    const inline = createInlineWorkers();
    let stored: { path: string; bytes: Buffer }[] = [];
    const workers: typeof inline = {
      ...inline,
      aggregate(request, signal) {
        stored = filesBelow(federation.config.folder).map((path) => ({ path, bytes: readFileSync(path) }));
        return inline.aggregate(request, signal);
      },
    };
    const lines: string[] = [];
    const onLog = (line: string) => void lines.push(line);
    const server = await serveFederation(federation.config, { logLevel: "info", onLog, workers });
    closers.push(server.close);
    const stop = new AbortController();
    const dropped = joinAs(federation, server.url, "cas", {
      signal: stop.signal,
      onEvent: (event) => event.kind === "secure" && event.step === "shares" && stop.abort(),
    }).catch(async () => {
      await plainClient(server.url, federation.tokens.get("cas")).request("DELETE", "/v1/membership");
    });
    const [ada] = await Promise.all([
      joinAs(federation, server.url, "ada"),
      joinAs(federation, server.url, "bea"),
      dropped,
    ]);
    expect([ada?.rounds, ada?.reason]).toEqual([[1], null]);
    const { history } = await server.finished;
    expect(history[0]?.updates.map(({ client, examples, loss }) => [client, examples, loss])).toEqual([
      ["ada", 1, undefined],
      ["bea", 1, undefined],
    ]);
    // The 1 of the journal stands for a number that nobody knows: the log leaves it out.
    const logged = lines.filter((line) => line.includes('"update-received"'));
    expect(logged.map((line) => "examples" in JSON.parse(line).event)).toEqual([false, false]);
    const expected = await meanOf(federation);
    const network = await numbersOf(server.network());
    const errors = network.map((value, i) => Math.abs(value - (expected[i] as number)));
    expect(Math.max(...errors)).toBeLessThan(LARGEST_ERROR);

    // What lay in the server's folder when all masked updates were there.
    const updates = stored.filter(({ path }) => path.includes("updates"));
    expect(updates.map(({ bytes }) => bytes.length)).toEqual([4 * 60, 4 * 60]);
    for (const name of ["ada", "bea"]) {
      for (const plain of await bytesOf(madeBy(federation, name))) {
        for (const { bytes } of stored) expect(bytes.includes(plain)).toBe(false);
      }
    }
    // Masked words are anywhere in 32 bits, where those of an update are near 0.
    for (const { bytes } of updates) {
      const words = new Int32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + 240));
      const mean = words.reduce((sum, word) => sum + Math.abs(word), 0) / words.length;
      expect(mean).toBeGreaterThan(2 ** 29);
    }
  });

  it.each([
    ["shares", () => ({})],
    ["confirm", makeTrust(["ada", "bea"])],
  ] as const)(
    "goes on after the server was away after %s, and its journal after every line",
    async (step, trust) => {
      const federation = await makeSecure({ clients: ["ada", "bea"], plan: { available: 2 } });
      const first = await serving.reopen(federation);
      const port = Number(new URL(first.server.url).port);
      const closed: Promise<void>[] = [];
      const onEvent = (event: ClientEvent): void => {
        if (event.kind === "secure" && event.step === step) closed.push(first.server.close());
      };
      const clients = [
        joinAs(federation, first.server.url, "ada", { onEvent, ...trust("ada") }),
        joinAs(federation, first.server.url, "bea", trust("bea")),
      ];
      await expect.poll(() => closed.length, { timeout: 10_000 }).toBeGreaterThan(0);
      await Promise.all(closed);
      const second = await serving.reopen({ ...federation, config: { ...federation.config, port } });
      await Promise.all(clients);
      expect(second.server.state.history[0]?.attempts).toBe(1);
      const [expected, network] = [await meanOf(federation), await numbersOf(second.server.network())];
      for (const [i, value] of network.entries()) {
        expect(Math.abs(value - (expected[i] as number))).toBeLessThan(LARGEST_ERROR);
      }
      const lines = readFileSync(join(federation.config.folder, "journal.jsonl"), "utf8").trim().split("\n");
      const [{ network: initial }, ...events] = lines.map((line) => JSON.parse(line.slice(17)));
      for (let length = 0; length <= events.length; length++) {
        const begun = events.slice(0, length) as FederationEvent[];
        const { plan } = federation.config;
        const state = begun.reduce((before, event) => advance(plan, before, event), beginFederation(initial));
        // Whatever was lost, there is something to do: at the latest a new attempt, once a stage's time is over.
        const later = decide(plan, state, state.at + plan.deadline + 1);
        if (state.open !== null) expect(later.kind).not.toBe("wait");
      }
    },
  );

  it("is left by a client that requires more clients in a sum, before it sends anything of the sum", async () => {
    const federation = await makeSecure();
    const { server } = await serving.reopen(federation);
    const stop = new AbortController();
    const others = ["bea", "cas"].map((name) =>
      joinAs(federation, server.url, name, { signal: stop.signal }),
    );
    for (const other of others) other.catch(() => undefined);
    const strict = { require: ["secure"], leastClients: 3 } as const;
    await expect(joinAs(federation, server.url, "ada", strict)).rejects.toThrow(
      /requires "secure", a sum of at least 3 clients: it may be of 2; .*threshold: 1 \}; nothing is sent/,
    );
    const keys = server.state.secure?.sum.keys.map(({ client }) => client) ?? [];
    expect(keys).not.toContain("ada");
    // The others go on without it.
    const enough = joinAs(federation, server.url, "ada", {
      require: ["secure"],
      leastClients: 2,
      signal: stop.signal,
    });
    expect((await enough).rounds).toEqual([1]);
    await Promise.all(others);
  });

  it("begins a round again whose sum cannot be unmasked, and takes no message in another's name", async () => {
    const federation = await makeSecure({ clients: ["ada", "bea"], plan: { available: 2 } });
    const inline = createInlineWorkers();
    let spoilt = 0;
    const workers: typeof inline = {
      ...inline,
      aggregate(request, signal) {
        // Words of another session, as a client that lies would send, in place of the first ones.
        const [first, ...others] = request.updates;
        if (spoilt++ > 0 || first === undefined) return inline.aggregate(request, signal);
        const bytes = Buffer.alloc(240, 7);
        writeFileSync(first.file.path, bytes);
        const file = { ...first.file, hash: bodyOf(bytes).hash };
        return inline.aggregate({ ...request, updates: [{ ...first, file }, ...others] }, signal);
      },
    };
    const server = await serveFederation(federation.config, { logLevel: "silent", workers });
    closers.push(server.close);
    const bea = plainClient(server.url, federation.tokens.get("bea"));
    const forged = { kind: "keys", session: "s", client: "ada", cipherKey: "", maskKey: "" };
    const answer = await bea.request("POST", "/v1/rounds/1/secure", {
      body: JSON.stringify(forged),
      headers: { "content-type": "application/json" },
    });
    expect([answer.status, await answer.text()]).toEqual([422, expect.stringContaining("it is of another")]);
    await Promise.all(["ada", "bea"].map((name) => joinAs(federation, server.url, name)));
    const { history } = await server.finished;
    expect([spoilt, history[0]?.attempts]).toEqual([2, 2]);
    const [expected, network] = [await meanOf(federation), await numbersOf(server.network())];
    for (const [i, value] of network.entries()) {
      expect(Math.abs(value - (expected[i] as number))).toBeLessThan(LARGEST_ERROR);
    }
  });

  it.each<[string, object, RegExp]>([
    ["a rule that compares", { strategy: { rule: "coordinate-median" } }, /compares single updates/],
    ["alignment", { strategy: { align: "global" } }, /aligning looks at each client's weights/],
    ["a bound on norms", { strategy: { clip: 1 } }, /"clip" measures the norm of single updates/],
    [
      "noise of the server",
      {
        strategy: { privacy: { clip: 1, noise: 1, clients: 3, delta: 0.1, sampling: { kind: "all" } } },
      },
      /at: clients/,
    ],
    ["layers between two clients", { layerBarriers: 5 }, /barriers are measured/],
  ])("refuses %s, with the reason", async (_, part, message) => {
    const federation = await makeSecure();
    await expect(
      serving.reopen({ ...federation, config: { ...federation.config, ...part } }),
    ).rejects.toThrow(message);
  });
});
