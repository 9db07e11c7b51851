import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  at,
  type Checkpoint,
  compareCheckpoints,
  createCheckpoint,
  createRandom,
  createTensor,
  entry,
  openCheckpoint,
  sizeOf,
  toFloat64,
} from "@isthmus/core";
import { createMatrix, type Matrix, multiply, svd, transposeMatrix } from "@isthmus/linear-algebra";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AggregateOptions, Configured } from "../aggregate/aggregate-options.ts";
import { aggregateUpdates } from "../aggregate/aggregate-updates.ts";
import { saveAggregate } from "../aggregate/save-aggregate.ts";
import { PRE_AGGREGATIONS } from "../pre-aggregations.ts";
import type { AggregationRule } from "../rules/aggregation-rule.ts";
import { AGGREGATION_RULES } from "../rules.ts";
import type { ServerStep } from "../server-step/server-step.ts";
import { SERVER_STEPS } from "../server-steps.ts";
import { scaleBy } from "./adapter-scaling.ts";
import { atRank } from "./low-rank.ts";

const [OUT, IN] = [7, 5];
const [A, B] = ["q.lora_A.weight", "q.lora_B.weight"];

/** Draws an adapter of one module and one tensor beside it. */
function draw(seed: number, rank: number, size = 1): Checkpoint {
  const random = createRandom(seed, "adapter");
  const normal = (...shape: [number, number]) =>
    createTensor(
      "f64",
      shape,
      Float64Array.from({ length: shape[0] * shape[1] }, () => size * random.normal()),
    );
  return createCheckpoint({ [A]: normal(rank, IN), [B]: normal(OUT, rank), head: normal(1, 3) });
}

const matrixOf = async (network: Checkpoint, name: string): Promise<Matrix> => {
  const { shape, data, dtype } = await network.read(name);
  return createMatrix(at(shape, 0), at(shape, 1), toFloat64(data, dtype));
};

const productOf = async (network: Checkpoint): Promise<Matrix> =>
  multiply(await matrixOf(network, B), await matrixOf(network, A));

const sum = (terms: readonly (readonly [number, Matrix])[]): Matrix =>
  createMatrix(
    OUT,
    IN,
    Float64Array.from({ length: OUT * IN }, (_, i) =>
      terms.reduce((total, [weight, { data }]) => total + weight * at(data, i), 0),
    ),
  );

function truncate(matrix: Matrix, rank: number): Matrix {
  const { left, values, right } = svd(matrix);
  const scaled = Float64Array.from(left.data, (value, i) => {
    const k = i % values.length;
    return k < rank ? value * at(values, k) : 0;
  });
  return multiply({ ...left, data: scaled }, right, { transposeRight: true });
}

const distance = (a: Matrix, b: Matrix): number =>
  Math.sqrt(Float64Array.from(a.data).reduce((total, value, i) => total + (value - at(b.data, i)) ** 2, 0));

const rule = (name: string, parameters = {}): Configured<AggregationRule> => ({
  of: entry(AGGREGATION_RULES, name, "rule"),
  parameters,
});

const server = (name: string, parameters = {}): Configured<ServerStep> => ({
  of: entry(SERVER_STEPS, name, "step"),
  parameters,
});

const tensorsOf = async (network: Checkpoint) =>
  Object.fromEntries(
    await Promise.all(
      [...network.tensors.keys()].map(async (name) => [name, await network.read(name)] as const),
    ),
  );

/** Returns the network with the product in place of its factors. */
async function densified(network: Checkpoint): Promise<Checkpoint> {
  const { data } = await productOf(network);
  return createCheckpoint({
    q: createTensor("f64", [OUT, IN], Float64Array.from(data)),
    head: await network.read("head"),
  });
}

const withAlpha = async (network: Checkpoint, alpha: number): Promise<Checkpoint> =>
  createCheckpoint({
    ...(await tensorsOf(network)),
    "q.alpha": createTensor("f32", [], Float32Array.of(alpha)),
  });

/** Returns the network at another rank, as a client takes it. */
async function withRank(network: Checkpoint, rank: number): Promise<Checkpoint> {
  const { left, right } = atRank(
    { left: await matrixOf(network, B), right: await matrixOf(network, A) },
    rank,
  );
  return createCheckpoint({
    [A]: createTensor("f64", [rank, IN], Float64Array.from(right.data)),
    [B]: createTensor("f64", [OUT, rank], Float64Array.from(left.data)),
    head: await network.read("head"),
  });
}

/** Writes the factors of a product in another way. */
async function turned(network: Checkpoint, seed: number): Promise<Checkpoint> {
  const [a, b] = [await matrixOf(network, A), await matrixOf(network, B)];
  const random = createRandom(seed, "gauge");
  const square = createMatrix(
    a.rows,
    a.rows,
    Float64Array.from({ length: a.rows ** 2 }, () => random.normal()),
  );
  const { left, values, right } = svd(square);
  // A matrix whose singular values lie between 1/2 and 2.
  const stretch = (by: (value: number) => number) =>
    multiply(
      {
        ...left,
        data: Float64Array.from(left.data, (value, i) => value * by(at(values, i % values.length))),
      },
      right,
      { transposeRight: true },
    );
  const bounded = (value: number) => 0.5 + (1.5 * value) / at(values, 0);
  const inverse = stretch((value) => 1 / bounded(value));
  return createCheckpoint({
    [A]: createTensor("f64", [a.rows, IN], multiply(transposeMatrix(inverse), a).data as Float64Array),
    [B]: createTensor("f64", [OUT, a.rows], multiply(b, stretch(bounded)).data as Float64Array),
    head: await network.read("head"),
  });
}

const shapes = fc.record({
  seed: fc.nat(1e6),
  rank: fc.integer({ min: 1, max: 4 }),
  clients: fc.integer({ min: 1, max: 5 }),
});

const updatesOf = (networks: readonly Checkpoint[]) =>
  networks.map((network, i) => ({ client: `c${i}`, examples: 1 + i, network }));

const aggregated = async (
  global: Checkpoint,
  networks: readonly Checkpoint[],
  options: AggregateOptions = {},
) => aggregateUpdates(global, updatesOf(networks), options);

describe("aggregateUpdates() of adapters", () => {
  it("is the best approximation of the mean of products, whose lost part it measures", async () => {
    await fc.assert(
      fc.asyncProperty(shapes, async ({ seed, rank, clients }) => {
        const networks = Array.from({ length: clients }, (_, i) => draw(seed + 1 + i, rank));
        const { network, report } = await aggregated(draw(seed, rank), networks);
        const products = await Promise.all(networks.map(productOf));
        const total = (clients * (clients + 1)) / 2;
        const mean = sum(products.map((product, i) => [(1 + i) / total, product]));
        const best = truncate(mean, rank);
        expect(distance(await productOf(network), best)).toBeLessThan(1e-10);
        expect(report.lostNorm).toBeCloseTo(distance(mean, best), 8);
      }),
    );
  });

  it("does by every linear rule and step what these do to the products in full", async () => {
    const rules = [
      ...([["fedavg"], ["krum", { f: 1 }], ["multi-krum", { f: 1 }], ["geometric-median"]] as const),
      ...([
        ["centred-clipping", { radius: 2 }],
        ["norm-bound", { bound: 3 }],
        ["mda", { f: 1 }],
      ] as const),
    ];
    for (const [i, [name, parameters]] of rules.entries()) {
      const options = {
        rule: rule(name, parameters),
        preAggregations:
          i % 2 === 0 ? [] : [{ of: entry(PRE_AGGREGATIONS, "nnm", "step"), parameters: { f: 1 } }],
        server: server("momentum", { momentum: 0.5, learningRate: 0.7 }),
        ...(i === 0 ? { clip: 2.5 } : {}),
      };
      // With the whole rank nothing is lost, so that both go on from the same state.
      let [factored, dense] = [draw(i, IN), await densified(draw(i, IN))];
      let states: { factored?: Checkpoint; dense?: Checkpoint } = {};
      for (const round of [1, 2]) {
        const networks = Array.from({ length: 5 }, (_, k) => draw(100 * i + 10 * round + k, IN));
        const wholes = await Promise.all(networks.map(densified));
        const one = await aggregated(factored, networks, { ...options, round, state: states.factored });
        const other = await aggregated(dense, wholes, { ...options, round, state: states.dense });
        expect(distance(await productOf(one.network), await matrixOf(other.network, "q"))).toBeLessThan(1e-5);
        expect(one.report.changeNorm).toBeCloseTo(other.report.changeNorm, 5);
        expect(one.report.stepNorm).toBeCloseTo(other.report.stepNorm, 5);
        expect(one.report.clients.map(({ norm = 0 }) => norm.toFixed(5))).toEqual(
          other.report.clients.map(({ norm = 0 }) => norm.toFixed(5)),
        );
        [factored, dense] = [one.network, other.network];
        states = { ...(one.state && { factored: one.state }), ...(other.state && { dense: other.state }) };
      }
    }
  });

  it("does not depend on how clients write a product as factors, by any rule", async () => {
    for (const name of [
      "fedavg",
      "krum",
      "geometric-median",
      "coordinate-median",
      "trimmed-mean",
      "bulyan",
    ]) {
      const robust = name === "fedavg" || name.endsWith("median") ? {} : { f: 1 };
      const networks = Array.from({ length: 7 }, (_, i) => draw(i, 2));
      const options = { rule: rule(name, robust) };
      const [one, other] = [
        await aggregated(draw(99, 2), networks, options),
        await aggregated(draw(99, 2), await Promise.all(networks.map((n, i) => turned(n, i))), options),
      ];
      for (const tensor of [A, B]) {
        const [of, as] = [await matrixOf(one.network, tensor), await matrixOf(other.network, tensor)];
        expect(Math.max(...of.data.map((value, i) => Math.abs(value - at(as.data, i))))).toBeLessThan(1e-7);
      }
    }
  });

  it("keeps a median of equal products, and of a majority that agrees", async () => {
    const [same, far] = [draw(1, 2), draw(2, 2, 100)];
    for (const name of ["fedavg", "coordinate-median"]) {
      const { network } = await aggregated(draw(0, 2), [same, await turned(same, 5), same], {
        rule: rule(name),
      });
      expect(distance(await productOf(network), await productOf(same))).toBeLessThan(1e-9);
    }
    const networks = [same, await turned(same, 3), same, far];
    const { network } = await aggregated(draw(0, 2), networks, { rule: rule("coordinate-median") });
    expect(distance(await productOf(network), await productOf(same))).toBeLessThan(1e-8);
  });

  it("takes clients of other ranks, whose displacements leave alone what they never had", async () => {
    const global = (await aggregated(draw(0, 4), [draw(1, 4)])).network;
    const start = await productOf(global);
    // Clients of ranks 2 and 6 that did nothing: the first has the best approximation, the other one zeros more.
    const idle = [await withRank(global, 2), await withRank(global, 6)];
    expect(distance(await productOf(at(idle, 0)), truncate(start, 2))).toBeLessThan(1e-10);
    const scaleOf = () => 1;
    const still = await aggregated(global, idle, { scaleOf });
    expect(distance(await productOf(still.network), start)).toBeLessThan(1e-10);
    expect(still.report.changeNorm).toBeLessThan(1e-10);
    const moved = await aggregated(global, [draw(7, 2), draw(8, 6)], { scaleOf });
    const change = [
      await productOf(draw(7, 2)),
      truncate(start, 2),
      await productOf(draw(8, 6)),
      start,
    ] as const;
    const exact = sum([
      [1, start],
      [1 / 3, change[0]],
      [-1 / 3, change[1]],
      [2 / 3, change[2]],
      [-2 / 3, change[3]],
    ]);
    expect(distance(await productOf(moved.network), truncate(exact, 4))).toBeLessThan(1e-9);
    await expect(aggregated(global, [draw(7, 2)])).rejects.toThrow(
      /of rank 2 from "c0" with rank 4.*"alpha" of "adapters"/,
    );
  });

  it("divides by the rank if alpha is the same for all", async () => {
    const global = draw(0, 4);
    const scaleOf = scaleBy({ alpha: 8 });
    const { network } = await aggregated(global, [draw(1, 2), draw(2, 4)], { scaleOf });
    const [start, small, large] = [
      await productOf(global),
      await productOf(draw(1, 2)),
      await productOf(draw(2, 4)),
    ];
    // The client of rank 2 began with the first two columns and rows, at the scale of the network.
    const began = await productOf(await withRank(global, 2));
    const exact = sum([
      [2, start],
      [
        1 / 3,
        sum([
          [4, small],
          [-2, began],
        ]),
      ],
      [
        2 / 3,
        sum([
          [2, large],
          [-2, start],
        ]),
      ],
    ]);
    expect(distance(sum([[2, await productOf(network)]]), truncate(exact, 4))).toBeLessThan(1e-9);
    const alphas = (alpha: number, of: Checkpoint) => withAlpha(of, alpha);
    const kohya = await aggregated(await alphas(8, global), [
      await alphas(8, draw(1, 2)),
      await alphas(8, draw(2, 4)),
    ]);
    expect(distance(await productOf(kohya.network), await productOf(network))).toBeLessThan(1e-9);
    await expect(aggregated(await alphas(0, global), [await alphas(0, draw(2, 4))])).rejects.toThrow(
      /other than 0/,
    );
  });

  it("keeps directions that the mean lacks ready for training", async () => {
    const random = draw(3, 4);
    const fresh = createCheckpoint({
      ...(await tensorsOf(random)),
      [B]: createTensor("f64", [OUT, 4], new Float64Array(4 * OUT)),
    });
    const { network } = await aggregated(fresh, [fresh, fresh]);
    expect((await network.read(A)).data).toEqual((await fresh.read(A)).data);
    const one = draw(4, 1);
    const { network: next } = await aggregated(fresh, [await withRank(one, 4)]);
    const rows = await matrixOf(next, A);
    for (let k = 0; k < 4; k++)
      expect(Math.hypot(...rows.data.subarray(k * IN, (k + 1) * IN))).toBeGreaterThan(0.1);
    expect(distance(await productOf(next), await productOf(one))).toBeLessThan(1e-10);
  });

  it("reads kernels and embeddings as matrices, and writes the same bytes to files", async () => {
    const folder = await mkdtemp(join(tmpdir(), "isthmus-adapters-"));
    const random = createRandom(0, "kernels");
    const normal = (...shape: number[]) =>
      createTensor(
        "f32",
        shape,
        Float32Array.from({ length: sizeOf(shape) }, () => random.normal()),
      );
    const of = (rank: number) =>
      createCheckpoint({
        "c.lora_down.weight": normal(rank, 3, 2, 2),
        "c.lora_up.weight": normal(5, rank, 1, 1),
        "e.lora_embedding_A": normal(rank, 9),
        "e.lora_embedding_B": normal(4, rank),
      });
    const [global, updates] = [of(2), updatesOf([of(2), of(1), of(3)])];
    const options = { scaleOf: () => 1, server: server("momentum") };
    const { network, state } = await aggregateUpdates(global, updates, options);
    const files = { network: join(folder, "n.safetensors"), state: join(folder, "s.safetensors") };
    const saved = await saveAggregate(global, updates, files, { ...options, memory: 1 });
    for (const [path, expected] of [
      [saved.network, network],
      [saved.state ?? "", state ?? network],
    ] as const) {
      const written = await openCheckpoint(path);
      expect(compareCheckpoints(written, expected).message).toBe("");
      for (const name of written.tensors.keys()) {
        expect((await written.read(name)).data).toEqual((await expected.read(name)).data);
      }
      await written.close();
    }
    await rm(folder, { recursive: true });
  });

  it("refuses what would need products in full, and what are no products of two factors", async () => {
    const [global, update] = [draw(0, 2), draw(1, 2)];
    for (const name of ["adam", "yogi", "adagrad"]) {
      await expect(aggregated(global, [update], { server: server(name) })).rejects.toThrow(
        /choose "average" or "momentum"/,
      );
    }
    const privacy = { clip: 1, noise: 1, clients: 5, delta: 0.01, sampling: { kind: "all" } } as const;
    await expect(aggregated(global, [update], { privacy })).rejects.toThrow(/noises multiply.*FFA-LoRA/);
    const kept = new Map([[A, "keep"]] as const);
    const { network } = await aggregated(global, [update], { privacy, treatments: kept, noiseSeed: 1 });
    expect((await network.read(A)).data).toEqual((await global.read(A)).data);
    const lengths = createCheckpoint({
      ...(await tensorsOf(global)),
      "q.lora_magnitude_vector": createTensor("f64", [OUT], new Float64Array(OUT)),
    });
    await expect(aggregated(lengths, [lengths])).rejects.toThrow(/DoRA.*keep/);
  });

  it("names the client of hostile factors", async () => {
    const global = draw(0, 2);
    const broken = createCheckpoint({
      ...(await tensorsOf(draw(1, 2))),
      [A]: createTensor("f64", [2, IN], new Float64Array(2 * IN).fill(Number.NaN)),
    });
    const networks = [draw(2, 2), broken, draw(3, 2), draw(4, 2), draw(5, 2)];
    await expect(aggregated(global, networks)).rejects.toThrow(/"c1" sent NaN/);
    await expect(aggregated(global, networks, { rule: rule("coordinate-median") })).rejects.toThrow(
      /"c1" sent NaN/,
    );
    const { network } = await aggregated(global, networks, { rule: rule("krum", { f: 1 }) });
    expect((await productOf(network)).data.every(Number.isFinite)).toBe(true);
    const misshapen = createCheckpoint({ ...(await tensorsOf(draw(1, 3))), [B]: await draw(1, 2).read(B) });
    await expect(aggregated(global, [misshapen], { scaleOf: () => 1 })).rejects.toThrow(
      /same names and shapes/,
    );
  });
});
