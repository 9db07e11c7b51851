import { readFileSync } from "node:fs";
import {
  type Checkpoint,
  createCheckpoint,
  createTensor,
  type DType,
  entry,
  sizeOf,
  toFloat64,
  viewData,
} from "@isthmus/core";
import { describe, expect, test } from "vitest";
import { merge } from "../merge.ts";
import { MERGE_METHODS } from "../methods.ts";
import type { GivenParameters, ParameterSpecs } from "../parameters.ts";

/** A merge that mergekit computed, tensors as hexadecimal bytes. */
interface GoldenCase {
  readonly method: string;
  readonly dtype: "f32" | "bf16";
  readonly shape: readonly number[];
  readonly parameters: GivenParameters<ParameterSpecs>;
  readonly base: string;
  readonly networks: readonly string[];
}

interface Golden {
  readonly fixed: readonly (GoldenCase & {
    readonly kind: string;
    readonly expected: string;
    readonly inBf16?: string;
  })[];
  readonly random: readonly (GoldenCase & {
    readonly draws: number;
    readonly mean: string;
    readonly variance: string;
    readonly changed: number;
  })[];
}

const file = new URL("../../test/golden/task-vectors.json", import.meta.url);
const golden = JSON.parse(readFileSync(file, "utf8")) as Golden;

const decode = (hex: string, dtype: DType) => viewData(dtype, new Uint8Array(Buffer.from(hex, "hex")));
const numbers = (hex: string, dtype: DType) => toFloat64(decode(hex, dtype), dtype);

const network = (hex: string, { dtype, shape }: GoldenCase): Checkpoint =>
  createCheckpoint(new Map([["w", createTensor(dtype, shape, decode(hex, dtype))]]));

async function run(golden: GoldenCase, seed = 0): Promise<Float64Array> {
  const merged = merge(
    golden.networks.map((hex) => network(hex, golden)),
    {
      method: entry(MERGE_METHODS, golden.method),
      parameters: golden.parameters,
      base: network(golden.base, golden),
      seed,
    },
  );
  const { data, dtype } = await merged.read("w");
  return toFloat64(data, dtype);
}

const title = ({ method, dtype, shape, parameters }: GoldenCase) =>
  `${method} ${dtype} [${shape}] ${JSON.stringify(parameters)}`;

describe("methods without chance give what mergekit 0.1.5 gives", () => {
  test.each(golden.fixed.map((golden) => [title(golden), golden] as const))("%s", async (_title, golden) => {
    const [result, expected] = [await run(golden), numbers(golden.expected, golden.dtype)];
    // A few roundings to f32 of numbers below 4; in bf16 one unit more, as neighbours in f32 may round apart.
    const relative = golden.dtype === "f32" ? 0 : 2 ** -7;
    for (const [i, x] of expected.entries()) {
      expect(Math.abs(result[i]! - x), `element ${i}: ${result[i]} and ${x}`).toBeLessThanOrEqual(
        2 ** -20 * Math.max(1, Math.abs(x)) + relative * Math.abs(x),
      );
    }
    const same = expected.filter((x, i) => Math.abs(result[i]! - x) < 2 ** -20).length;
    if (golden.dtype === "bf16") expect(same).toBeGreaterThanOrEqual(0.98 * expected.length - 1);
  });
});

describe("bf16 networks are merged in f32, where mergekit 0.1.5 computes in bf16 unless a recipe says otherwise", () => {
  const cases = golden.fixed.filter(({ method, inBf16 }) => inBf16 && method === "task_arithmetic");

  test.each(cases.map((golden) => [title(golden), golden] as const))("%s", async (_title, golden) => {
    const {
      weight,
      lambda = 1,
      normalize = false,
    } = golden.parameters as unknown as Record<string, number | boolean | number[]>;
    const weights = weight as number[];
    const total = normalize ? weights.reduce((sum, w) => sum + w, 0) : 1;
    const base = numbers(golden.base, "bf16");
    const networks = golden.networks.map((hex) => numbers(hex, "bf16"));
    const exact = base.map((x, i) => {
      const sum = networks.reduce((all, network, k) => all + weights[k]! * (network[i]! - x), 0);
      return x + (Number(lambda) * sum) / total;
    });
    const errorOf = (values: Float64Array) => values.reduce((sum, x, i) => sum + Math.abs(x - exact[i]!), 0);
    const [ours, theirs] = [await run(golden), numbers(golden.inBf16 ?? "", "bf16")];
    // Ours is the nearest number in bf16, so that no other result is nearer.
    for (const [i, x] of exact.entries())
      expect(Math.abs(ours[i]! - x)).toBeLessThanOrEqual(2 ** -8 * Math.abs(x) + 1e-6);
    expect(errorOf(ours)).toBeLessThanOrEqual(errorOf(theirs) + 1e-6);
  });

  test("and some of its results are further away", () => {
    expect(cases.some(({ inBf16, expected }) => inBf16 !== expected)).toBe(true);
  });
});

describe("methods of chance have the distribution of mergekit 0.1.5", () => {
  test.each(golden.random.map((golden) => [title(golden), golden] as const))("%s", async (_title, golden) => {
    const size = sizeOf(golden.shape);
    const base = numbers(golden.base, "f32");
    const [sums, squares] = [new Float64Array(size), new Float64Array(size)];
    let changed = 0;
    for (let seed = 0; seed < golden.draws; seed++) {
      for (const [i, x] of (await run(golden, seed)).entries()) {
        sums[i]! += x;
        squares[i]! += x * x;
        if (x !== base[i]) changed++;
      }
    }
    const [mean, variance] = [numbers(golden.mean, "f64"), numbers(golden.variance, "f64")];
    for (let i = 0; i < size; i++) {
      const ours = sums[i]! / golden.draws;
      const error = Math.sqrt((2 * variance[i]!) / golden.draws);
      expect(Math.abs(ours - mean[i]!), `mean of element ${i}`).toBeLessThan(5 * error + 1e-6);
      const spread = squares[i]! / golden.draws - ours * ours;
      expect(Math.abs(spread - variance[i]!), `variance of element ${i}`).toBeLessThan(
        0.2 * variance[i]! + 1e-6,
      );
    }
    const share = changed / (size * golden.draws);
    expect(Math.abs(share - golden.changed)).toBeLessThan(5 * Math.sqrt(0.5 / (size * golden.draws)));
  });
});
