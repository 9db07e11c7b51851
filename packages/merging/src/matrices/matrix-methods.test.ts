import { readFileSync } from "node:fs";
import {
  allocateData,
  type Checkpoint,
  createCheckpoint,
  createRandom,
  createTensor,
  DTYPES,
  fromFloat64Into,
} from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import {
  createMatrix,
  createProducts,
  type DominantSubspaces,
  type Matrix,
  multiply,
  orthonormalize,
  plainProducts,
  sliceColumns,
  svd,
} from "@isthmus/linear-algebra";
import { expect, test } from "vitest";
import { merge } from "../merge.ts";
import type { MergeMethod } from "../merge-method.ts";
import { isoC } from "../methods/iso-c.ts";
import { isoCts } from "../methods/iso-cts.ts";
import { knots } from "../methods/knots.ts";
import { calibrated, svc } from "../methods/svc.ts";
import { tsvM } from "../methods/tsv-m.ts";
import { wudi } from "../methods/wudi.ts";
import { joinParts } from "./join-parts.ts";

type Numbers = Readonly<Record<string, readonly number[]>>;
interface Golden {
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  readonly base: Numbers;
  readonly networks: readonly Numbers[];
  readonly merged: Readonly<Record<string, Numbers>>;
}

const golden: Golden = JSON.parse(
  readFileSync(new URL("../../test/golden/matrix-merges.json", import.meta.url), "utf8"),
);
// As f64, so that methods are compared and not their rounding.
const toCheckpoint = (numbers: Numbers): Checkpoint =>
  createCheckpoint(
    new Map(
      Object.entries(numbers).map(([name, values]) => [
        name,
        createTensor("f64", golden.shapes[name]!, Float64Array.from(values)),
      ]),
    ),
  );

const CASES: readonly (readonly [string, unknown, Record<string, number>])[] = [
  ["iso_c", isoC, {}],
  ["iso_cts", isoCts, {}],
  ["tsv_m", tsvM, {}],
  ["svc", svc, {}],
  ["svc_tsv_m", calibrated(tsvM, 1), {}],
  ["knots", knots, {}],
  ["knots_half", knots, { density: 0.5 }],
  ["wudi", wudi, {}],
  ["wudi_fast", wudi, { iterations: 40, learning_rate: 1e-3 }],
];

test.each(CASES)("%s equals its formula in NumPy", async (name, method, parameters) => {
  const merged = merge(golden.networks.map(toCheckpoint), {
    method: method as MergeMethod,
    base: toCheckpoint(golden.base),
    parameters,
  });
  for (const tensor of Object.keys(golden.shapes)) {
    const { data } = await merged.read(tensor);
    golden.merged[name]![tensor]!.forEach((value, i) => {
      expect(Math.abs(Number(data[i]) - value)).toBeLessThan(1e-9);
    });
  }
});

const random = (rows: number, columns: number, seed: number) => {
  const { normal } = createRandom(seed, `${rows} x ${columns}`);
  return createMatrix(rows, columns, Float64Array.from({ length: rows * columns }, normal));
};
const single = ({ rows, columns, data }: Matrix, dtype: "f64" | "f32" | "bf16" = "f64") =>
  createCheckpoint({
    w: createTensor(
      dtype,
      [rows, columns],
      fromFloat64Into(Float64Array.from(data), dtype, allocateData(dtype, data.length)),
    ),
  });
const sum = (a: Matrix, b: Matrix) => ({ ...a, data: a.data.map((x, i) => x + b.data[i]!) });
const distance = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((most, x, i) => Math.max(most, Math.abs(x - b[i]!)), 0);

test.each([0, 2])(
  "tsv_m adds differences that do not touch each other, by %i power iterations",
  async (iterations) => {
    const [rows, columns, rank] = [210, 200, 6];
    const left = await orthonormalize(random(rows, 2 * rank, 1), plainProducts);
    const right = await orthonormalize(random(columns, 2 * rank, 2), plainProducts);
    const part = (from: number) => {
      const values = createMatrix(2 * rank, 2 * rank, new Float64Array(4 * rank * rank));
      for (let i = from; i < from + rank; i++) values.data[i * (2 * rank + 1)] = 1 + i;
      return multiply(multiply(left, values), right, { transposeRight: true });
    };
    const base = random(rows, columns, 3);
    const parts = [part(0), part(rank)];
    const merged = merge(
      parts.map((x) => single(sum(base, x))),
      { method: tsvM, base: single(base), parameters: { iterations } },
    );
    const expected = sum(base, sum(parts[0]!, parts[1]!));
    const { data } = await merged.read("w");
    expect(distance(data as Float64Array, expected.data)).toBeLessThan(1e-9);
  },
);

test("joining bases of main directions and their cores is joining singular vectors, whatever the bases", async () => {
  const parts = [1, 2, 3].map((seed) => {
    const { left, values, right } = svd(random(60, 45, seed));
    const core = createMatrix(15, 15, new Float64Array(225));
    for (let i = 0; i < 15; i++) core.data[i * 16] = values[i]!;
    return { left: sliceColumns(left, 0, 15), core, right: sliceColumns(right, 0, 15) };
  }) as [DominantSubspaces, DominantSubspaces, DominantSubspaces];
  const turned: DominantSubspaces[] = [];
  for (const [i, { left, core, right }] of parts.entries()) {
    const ofLeft = await orthonormalize(random(15, 15, 10 + i), plainProducts);
    const ofRight = await orthonormalize(random(15, 15, 20 + i), plainProducts);
    turned.push({
      left: multiply(left, ofLeft),
      core: multiply(multiply(ofLeft, core, { transposeLeft: true }), ofRight),
      right: multiply(right, ofRight),
    });
  }
  const expected = await joinParts(parts, plainProducts);
  const joined = await joinParts(turned as [DominantSubspaces, ...DominantSubspaces[]], plainProducts);
  expect(distance(joined.data, expected.data)).toBeLessThan(1e-9 * Math.max(...expected.data));
});

test("iso_c of a large matrix has equal singular values whose sum is kept, by any products", async () => {
  const base = random(220, 200, 4);
  const networks = [5, 6].map((seed) => single(sum(base, random(220, 200, seed))));
  const products = createProducts(createOnnxRuntimeEngine(), 1);
  const results: Float64Array[] = [];
  for (const by of [products, plainProducts]) {
    const merged = merge(networks, { method: isoC, base: single(base), products: by });
    results.push((await merged.read("w")).data as Float64Array);
  }
  expect(distance(results[0]!, results[1]!)).toBeLessThan(1e-10);
  const difference = createMatrix(
    220,
    200,
    results[0]!.map((x, i) => x - base.data[i]!),
  );
  const { values } = svd(difference);
  expect(values[0]! / values[199]!).toBeCloseTo(1, 8);
  await products.release();
});

test.each([isoC, isoCts, tsvM, svc, knots, wudi] as unknown as MergeMethod[])(
  "$name of one network and twice the scale is a step twice as long, in bf16 too",
  async (method) => {
    const base = random(6, 7, 1);
    for (const dtype of ["f64", "bf16"] as const) {
      const networks = [single(random(6, 7, 2), dtype), single(random(6, 7, 3), dtype)];
      const from = single(base, dtype);
      const at = async (scale: number) => {
        const { data } = await merge(networks, { method, base: from, parameters: { scale } }).read("w");
        const out = new Float64Array(42);
        for (let i = 0; i < 42; i++) out[i] = dtype === "bf16" ? widen(Number(data[i])) : Number(data[i]);
        return out;
      };
      const [zero, one, two] = [await at(0), await at(1), await at(2)];
      const steps = one.map((x, i) => zero[i]! + 2 * (x - zero[i]!));
      expect(distance(two, steps)).toBeLessThan(dtype === "bf16" ? 0.2 : 1e-12);
      expect(zero).toEqual(await wide(from, dtype));
    }
  },
);

const widen = (bits: number) => new Float32Array(Uint32Array.of(bits << 16).buffer)[0]!;
const wide = async (checkpoint: Checkpoint, dtype: "f64" | "bf16") => {
  expect(DTYPES[dtype].float).toBe(true);
  const { data } = await checkpoint.read("w");
  return Float64Array.from(data as Float64Array, (x) => (dtype === "bf16" ? widen(Number(x)) : x));
};
