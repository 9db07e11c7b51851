import { at, type Checkpoint, createCheckpoint, createRandom, createTensor, entry, toFloat64 } from "@isthmus/core";
import { createMatrix, type Matrix, multiply, svd, transposeMatrix } from "@isthmus/linear-algebra";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AggregateOptions, type Configured } from "../aggregate/aggregate-options.ts";
import { aggregateUpdates } from "../aggregate/aggregate-updates.ts";
import type { AggregationRule } from "../rules/aggregation-rule.ts";
import { AGGREGATION_RULES } from "../rules.ts";
import type { ServerStep } from "../server-step/server-step.ts";
import { SERVER_STEPS } from "../server-steps.ts";

const [OUT, IN] = [7, 5];
const [A, B] = ["q.lora_A.weight", "q.lora_B.weight"];

/** Draws an adapter of one module and one tensor beside it. */
function draw(seed: number, rank: number, size = 1): Checkpoint {
  const random = createRandom(seed, "adapter");
  const normal = (...shape: [number, number]) =>
    createTensor("f64", shape, Float64Array.from({ length: shape[0] * shape[1] }, () => size * random.normal()));
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
  Math.sqrt(a.data.reduce((total, value, i) => total + (value - at(b.data, i)) ** 2, 0));

const rule = (name: string, parameters = {}): Configured<AggregationRule> => ({
  of: entry(AGGREGATION_RULES, name, "rule"),
  parameters,
});

const server = (name: string, parameters = {}): Configured<ServerStep> => ({
  of: entry(SERVER_STEPS, name, "step"),
  parameters,
});

/** Writes the factors of a product in another way. */
async function turned(network: Checkpoint, seed: number): Promise<Checkpoint> {
  const [a, b] = [await matrixOf(network, A), await matrixOf(network, B)];
  const random = createRandom(seed, "gauge");
  const square = createMatrix(a.rows, a.rows, Float64Array.from({ length: a.rows ** 2 }, () => random.normal()));
  const { left, values, right } = svd(square);
  // A matrix whose singular values lie between 1/2 and 2.
  const stretch = (by: (value: number) => number) =>
    multiply(
      { ...left, data: Float64Array.from(left.data, (value, i) => value * by(at(values, i % values.length))) },
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

const shapes = fc.record({ seed: fc.nat(1e6), rank: fc.integer({ min: 1, max: 4 }), clients: fc.integer({ min: 1, max: 5 }) });

const updatesOf = (networks: readonly Checkpoint[]) =>
  networks.map((network, i) => ({ client: `c${i}`, examples: 1 + i, network }));

const aggregated = async (global: Checkpoint, networks: readonly Checkpoint[], options: AggregateOptions = {}) =>
  aggregateUpdates(global, updatesOf(networks), options);

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
});
