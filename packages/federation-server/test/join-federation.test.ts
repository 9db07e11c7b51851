import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  createCheckpoint,
  createRandom,
  createTensor,
  lockPathOf,
  openCheckpoint,
  saveCheckpoint,
  saveFile,
  takeLock,
  toFloat64,
} from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import type { PrivacyDescription } from "@isthmus/federated";
import {
  type ClientEvent,
  type JoinFederationOptions,
  joinFederation,
  openClientData,
} from "@isthmus/federation-server/client";
import { type DataSet, encodeGraph, type NamedLoss } from "@isthmus/graph";
import { parseNetwork } from "@isthmus/zoo";
import { afterEach, describe, expect, it } from "vitest";
import { plainClient } from "./plain-client.ts";
import { bodyOf, madeBy, makeFederation, type SmallFederation } from "./small-federation.ts";
import { createServing } from "./start-server.ts";

const serving = createServing();
const closers: (() => unknown)[] = [];
afterEach(async () => {
  await serving.close();
  for (const close of closers.splice(0)) close();
});

/** Two clouds of points that a small network can tell apart. */
function clouds(seed: number): DataSet {
  const random = createRandom(seed, "clouds");
  const labels = Int32Array.from({ length: 120 }, (_, i) => i % 2);
  const points = Float32Array.from(
    { length: 480 },
    (_, i) => random.normal() + (labels[i >> 2] === 0 ? 1.5 : -1.5),
  );
  return createDataSet(createTensor("f32", [120, 4], points), createTensor("i32", [120], labels), {
    name: `clouds ${seed}`,
  });
}

async function learning(options: Parameters<typeof makeFederation>[0] = {}): Promise<SmallFederation> {
  const federation = await makeFederation({ clients: ["ada", "bea"], ...options });
  closers.push(federation.remove);
  const { graph, initialize } = parseNetwork("mlp:8", { exampleShape: [4], classes: 2 });
  await saveCheckpoint(initialize(0), federation.config.network, { overwrite: true });
  const graphPath = join(federation.folder, "graph.onnx");
  await saveFile(graphPath, encodeGraph(graph));
  return { ...federation, config: { ...federation.config, graph: graphPath } };
}

function joinAs(
  federation: SmallFederation,
  url: string,
  name: string,
  more: Partial<JoinFederationOptions> = {},
) {
  return joinFederation(url, {
    token: federation.tokens.get(name) as string,
    data: clouds(name.length + name.charCodeAt(0)),
    engine: createOnnxRuntimeEngine(),
    folder: join(federation.folder, name),
    training: { epochs: 2, batch: 20 },
    ...more,
  });
}

/** Returns examples as the arrays of a file. */
function examplesOf(data: DataSet) {
  const { inputs, labels } = data.read(0, data.size);
  return { x: inputs, y: createTensor("i32", [data.size], labels) };
}

/** Returns the bytes of a network whose numbers are multiplied by a factor. */
async function multiplied(path: string, factor: number, folder: string): Promise<Buffer> {
  const network = await openCheckpoint(path);
  const tensors: Record<string, ReturnType<typeof createTensor>> = {};
  for (const [name, { dtype, shape }] of network.tensors) {
    const { data } = await network.read(name);
    const values = toFloat64(data, dtype).map((value) => factor * value);
    tensors[name] = createTensor("f32", shape, Float32Array.from(values));
  }
  await network.close();
  const target = join(folder, "multiplied.safetensors");
  await saveCheckpoint(createCheckpoint(tensors), target);
  return readFileSync(target);
}

const lossesOf = (events: readonly ClientEvent[]) =>
  events.filter((event) => event.kind === "sent").map(({ loss }) => loss);

describe("joinFederation()", () => {
  it("trains until the federation is over, and the global network becomes better", async () => {
    const federation = await learning({ plan: { rounds: 3 } });
    const { server } = await serving.reopen(federation);
    const events: ClientEvent[] = [];
    const results = await Promise.all(
      ["ada", "bea"].map((name) =>
        joinAs(federation, server.url, name, { onEvent: (event) => events.push(event) }),
      ),
    );
    expect(results.map(({ rounds }) => rounds)).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ]);
    const losses = lossesOf(events);
    expect(losses).toHaveLength(6);
    expect(Math.max(...losses.slice(-2))).toBeLessThan(0.5 * Math.min(...losses.slice(0, 2)));
    expect(server.state.history[2]?.updates.map(({ examples }) => examples)).toEqual([120, 120]);
    const [own, global] = [
      await openCheckpoint(results[0]?.network as string),
      await openCheckpoint(server.network()),
    ];
    for (const name of own.tensors.keys()) expect(await own.read(name)).toEqual(await global.read(name));
    await Promise.all([own.close(), global.close()]);
  });

  it("trains by the loss that the server's file names, and tells no accuracy of numbers", async () => {
    const federation = await learning({ plan: { rounds: 2 } });
    const { inputs } = clouds(1).read(0, 120);
    const random = createRandom(0, "slopes");
    const slopes = Float32Array.from({ length: 8 }, () => random.normal());
    const points = inputs.data as Float32Array;
    const numbers = Float32Array.from({ length: 240 }, (_, i) =>
      [0, 1, 2, 3].reduce((sum, k) => sum + slopes[4 * (i % 2) + k]! * points[4 * (i >> 1) + k]!, 0),
    );
    const y = createTensor("f32", [120, 2], numbers);
    const examples = join(federation.folder, "numbers.safetensors");
    await saveCheckpoint(createCheckpoint({ x: inputs, y }), examples);
    const evaluate = `safetensors:${examples}`;
    const trained = async (loss?: NamedLoss) => {
      const folder = join(federation.folder, `state ${loss ?? "usual"}`);
      const config = { ...federation.config, folder, evaluate, ...(loss !== undefined && { loss }) };
      const { server } = await serving.reopen({ ...federation, config });
      const data = await openClientData(evaluate);
      const clients = ["ada", "bea"].map((name) =>
        joinAs(federation, server.url, name, { data, folder: join(folder, name) }),
      );
      await Promise.all(clients);
      return server.state.history;
    };
    const squared = await trained();
    expect(squared.map(({ warning }) => warning)).toEqual([undefined, undefined]);
    expect(squared.map(({ metrics }) => Object.keys(metrics))).toEqual([["loss"], ["loss"]]);
    const absolute = await trained("mean-absolute-error");
    expect(absolute[1]!.metrics["loss"]!).toBeLessThan(absolute[0]!.metrics["loss"]!);
    expect(absolute[0]!.metrics["loss"]!).not.toBeCloseTo(squared[0]!.metrics["loss"]!, 3);
  });

  it("goes on after the server was away, and after it was stopped itself, to the same bytes", async () => {
    const whole = await learning({ plan: { rounds: 3 } });
    const { server } = await serving.reopen(whole);
    await Promise.all(["ada", "bea"].map((name) => joinAs(whole, server.url, name)));
    const federation = await learning({ plan: { rounds: 3 } });
    const first = await serving.reopen(federation);
    const port = Number(new URL(first.server.url).port);
    const ada = joinAs(federation, first.server.url, "ada");
    // A client that is stopped once it has sent something, and comes back.
    const stop = new AbortController();
    const stopped = joinFederation(first.server.url, {
      token: federation.tokens.get("bea") as string,
      data: clouds(3 + "b".charCodeAt(0)),
      engine: createOnnxRuntimeEngine(),
      folder: join(federation.folder, "bea"),
      training: { epochs: 2, batch: 20 },
      signal: stop.signal,
      onEvent: ({ kind }) => kind === "sent" && stop.abort(),
    });
    await expect(stopped).rejects.toThrow(expect.objectContaining({ name: "AbortError" }));
    await first.server.close();
    const second = await serving.reopen({ ...federation, config: { ...federation.config, port } });
    await Promise.all([ada, joinAs(federation, second.server.url, "bea")]);
    expect(second.server.state.network).toBe(server.state.network);
  });

  it("keeps its own layers, where the strategy says so", async () => {
    const federation = await learning({ plan: { rounds: 2 }, keepTensors: ["*1.bias", "*bias"] });
    const { server } = await serving.reopen(federation);
    const [ada, bea] = await Promise.all(["ada", "bea"].map((name) => joinAs(federation, server.url, name)));
    const networks = await Promise.all([ada, bea].map((result) => openCheckpoint(result?.network as string)));
    const [a, b] = networks as [(typeof networks)[0], (typeof networks)[0]];
    for (const name of a?.tensors.keys() ?? []) {
      const [x, y] = [(await a?.read(name))?.data, (await b?.read(name))?.data];
      if (name.endsWith("bias")) expect(x).not.toEqual(y);
      else expect(x).toEqual(y);
    }
    await Promise.all(networks.map((network) => network.close()));
  });

  it("makes the same update again if it was killed between its own layers and the mark of the update", async () => {
    const options = { plan: { rounds: 3 }, keepTensors: ["*bias"] };
    const whole = await learning(options);
    const { server } = await serving.reopen(whole);
    await Promise.all(["ada", "bea"].map((name) => joinAs(whole, server.url, name)));
    const federation = await learning(options);
    const again = (await serving.reopen(federation)).server;
    const bea = joinAs(federation, again.url, "bea");
    const folder = join(federation.folder, "ada");
    const record = join(folder, "update.json");
    // Round 1 is sent; then the mark of round 2 cannot be written, as its place is taken.
    const stop = new AbortController();
    await expect(
      joinAs(federation, again.url, "ada", {
        signal: stop.signal,
        onEvent: ({ kind }) => kind === "sent" && stop.abort(),
      }),
    ).rejects.toThrow();
    const marked = readFileSync(record, "utf8");
    await expect(
      joinAs(federation, again.url, "ada", {
        onEvent(event) {
          // While it trains, the mark of the round before is read already.
          if (event.kind !== "training" || statSync(record).isDirectory()) return;
          rmSync(record);
          mkdirSync(record);
        },
      }),
    ).rejects.toThrow();
    expect(readdirSync(folder).filter((name) => /^own\./.test(name))).toHaveLength(2);
    rmSync(record, { recursive: true });
    writeFileSync(record, marked);
    await Promise.all([bea, joinAs(federation, again.url, "ada")]);
    expect(again.state.network).toBe(server.state.network);
    // The update, the own layers after it, and those before it, from which a training anew would begin.
    expect(readdirSync(folder).filter((name) => /^(own|update)\.\d/.test(name))).toHaveLength(3);
  });

  it("trains anew once after a refusal for good, and then ends with the reason", async () => {
    const federation = await learning({ clients: ["ada"], plan: { rounds: 1 }, limits: { norm: 1e-9 } });
    const { server } = await serving.reopen(federation);
    const events: ClientEvent[] = [];
    const joined = joinAs(federation, server.url, "ada", { onEvent: (event) => events.push(event) });
    await expect(joined).rejects.toThrow(
      /Cannot go on with "small" as an update must count that was trained anew.*must be at most 1e-9/,
    );
    const told = events.filter(({ kind }) => kind === "refused" || kind === "waiting");
    const refused = { kind: "refused", round: 1, reason: expect.stringContaining("must be at most 1e-9") };
    expect(told).toEqual([refused, refused]);
    expect(server.state.refusals).toBe(2);
  });

  it("takes no layers and no update of one federation into another", async () => {
    const federation = await learning({ clients: ["ada"], plan: { rounds: 1 } });
    const { server } = await serving.reopen(federation);
    await joinAs(federation, server.url, "ada");
    const other = await learning({ clients: ["ada"], plan: { rounds: 1 }, name: "another" });
    const { server: second } = await serving.reopen(other);
    const folder = join(federation.folder, "ada");
    await expect(joinAs(other, second.url, "ada", { folder })).rejects.toThrow(
      /Cannot take part in "another" as .*"small"; name another folder with --folder/,
    );
    rmSync(join(folder, "federation.json"));
    await expect(joinAs(other, second.url, "ada", { folder })).rejects.toThrow(/that it does not name/);
    const release = await takeLock(lockPathOf(join(folder, "client"), "client"), folder);
    await expect(joinAs(other, second.url, "ada", { folder })).rejects.toThrow(
      /no other process may be at work there.*name another folder with --folder/,
    );
    await release();
    expect((await joinAs(other, second.url, "ada")).rounds).toEqual([1]);
  });

  it("adds the proximal term that the server tells of, and stays nearer to the network of the round", async () => {
    const distances: number[] = [];
    for (const proximal of [0, 20]) {
      const federation = await learning({ clients: ["ada"], plan: { rounds: 1 } });
      const training = { ...federation.config.training, proximal, learningRate: 0.02 };
      const { server } = await serving.reopen({ ...federation, config: { ...federation.config, training } });
      await joinAs(federation, server.url, "ada");
      const [before, sent] = [
        await openCheckpoint(federation.config.network),
        await openCheckpoint(madeBy(federation, "ada")),
      ];
      let squares = 0;
      for (const name of before.tensors.keys()) {
        const [x, y] = [(await before.read(name)).data, (await sent.read(name)).data];
        for (let i = 0; i < x.length; i++) squares += (Number(y[i]) - Number(x[i])) ** 2;
      }
      await Promise.all([before.close(), sent.close()]);
      distances.push(squares);
    }
    const [plain = 0, held = 0] = distances;
    expect(held).toBeLessThan(0.5 * plain);
  });

  it("clips its update and adds noise of its own, where the federation asks clients to", async () => {
    const privacy: PrivacyDescription = {
      ...{ clip: 0.5, noise: 3, clients: 2, delta: 0.01, at: "clients", sampling: { kind: "all" } },
    };
    const federation = await learning({ plan: { rounds: 1 }, privacy });
    const { server } = await serving.reopen(federation);
    await Promise.all(["ada", "bea"].map((name) => joinAs(federation, server.url, name)));
    const [record] = server.state.history;
    expect(record?.updates.map(({ examples, loss, metrics }) => [examples, loss, metrics])).toEqual([
      [1, undefined, undefined],
      [1, undefined, undefined],
    ]);
    expect(record?.privacy?.deviation).toBe(3);
    const [before, sent] = [
      await openCheckpoint(federation.config.network),
      await openCheckpoint(madeBy(federation, "ada")),
    ];
    let [squares, count] = [0, 0];
    for (const name of before.tensors.keys()) {
      const [x, y] = [(await before.read(name)).data, (await sent.read(name)).data];
      for (let i = 0; i < x.length; i++) squares += (Number(y[i]) - Number(x[i])) ** 2;
      count += x.length;
    }
    await Promise.all([before.close(), sent.close()]);
    // 58 numbers of a standard deviation of 3, six standard errors wide; the update itself is below 0.5.
    expect(Math.abs(Math.sqrt(squares / count) / 3 - 1)).toBeLessThan(6 / Math.sqrt(2 * count));
  });

  it("explains a wrong token, a server that is not there, and a graph that is missing", async () => {
    const federation = await learning();
    const { server } = await serving.reopen(federation);
    const options = {
      data: clouds(1),
      engine: createOnnxRuntimeEngine(),
      folder: join(federation.folder, "x"),
    };
    await expect(joinFederation(server.url, { ...options, token: "ada.wrong" })).rejects.toThrow(
      /the token must be the one/,
    );
    await expect(joinFederation("ftp://x", { ...options, token: "a" })).rejects.toThrow(
      /must begin with http/,
    );
    await expect(
      joinFederation("http://127.0.0.1:1", { ...options, token: "a", patience: 10 }),
    ).rejects.toThrow(/its server must answer/);
  });
});

describe("a server with examples", () => {
  it("measures every network, and the layers between two clients", async () => {
    const federation = await learning({ plan: { rounds: 2 } });
    const { x, y } = examplesOf(clouds(9));
    const path = join(federation.folder, "held-out.safetensors");
    await saveCheckpoint(createCheckpoint({ x, y }), path);
    const config = { ...federation.config, evaluate: `safetensors:${path}`, layerBarriers: 50 };
    const { server } = await serving.reopen({ ...federation, config });
    await Promise.all(["ada", "bea"].map((name) => joinAs(federation, server.url, name)));
    const { metrics = {} } = server.state.history[1] ?? {};
    expect(metrics["accuracy"]).toBeGreaterThan(0.9);
    expect(Object.keys(metrics).filter((name) => name.startsWith("barrier "))).toHaveLength(2);
    expect(Object.values(metrics).every(Number.isFinite)).toBe(true);
  });

  it("does not go on from a network whose loss is not finite: the round fails, and the network stays", async () => {
    const plan = { rounds: 1, quorum: 1, available: 1 };
    const federation = await learning({ plan, limits: { norm: "none" } });
    const path = join(federation.folder, "held-out.safetensors");
    const { x, y } = examplesOf(clouds(9));
    await saveCheckpoint(createCheckpoint({ x, y }), path);
    const config = { ...federation.config, evaluate: `safetensors:${path}` };
    let { server } = await serving.reopen({ ...federation, config });
    const client = plainClient(server.url, federation.tokens.get("ada"));
    await client.task();
    await client.task(5);
    const body = bodyOf(await multiplied(config.network, 1e30, federation.folder));
    await client.upload(body);
    expect((await client.send(1, body)).status).toBe(200);
    const { initial, network, history } = await server.finished;
    expect(network).toBe(initial);
    expect(history[0]?.failed).toMatch(
      /^the loss of its network on the server's examples is (NaN|Infinity).*coordinate-median/,
    );
    await server.close();
    ({ server } = await serving.reopen({ ...federation, config }));
    expect(server.state.network).toBe(initial);
  });
});

describe("openClientData()", () => {
  it("takes a range of examples", async () => {
    const [all, some] = [await openClientData("mnist:test@40"), await openClientData("mnist:test@10-30")];
    expect([some.size, some.name]).toEqual([20, "mnist:test@10-30"]);
    expect(some.read(2, 7)).toEqual(all.read(12, 17));
    const out = some.read(0, 3);
    expect(some.gatherInto?.(Uint32Array.of(4, 0, 4), out).labels).toEqual(
      Int32Array.of(...[14, 10, 14].map((i) => all.read(i, i + 1).labels[0] as number)),
    );
    await expect(openClientData("mnist:test@9990-20000")).rejects.toThrow(/lie within the 10000/);
  });
});
