import { readFileSync } from "node:fs";
import { createRandom } from "@isthmus/core";
import { createMatrix, type Matrix, multiply } from "@isthmus/linear-algebra";
import {
  type CkaEstimator,
  type CompareRepresentationsOptions,
  compareRepresentations,
  createCkaStream,
  type SimilarityNumber,
} from "@isthmus/similarity";
import { describe, expect, test } from "vitest";
import { waves } from "../../../test/helpers/waves.ts";
import { CKA_ESTIMATORS } from "../src/similarity-options.ts";

type Cka = Readonly<Record<"linear-cka" | "rbf-cka", number>>;

/** What NumPy computes in f64; see tools/golden/similarity.py. */
const golden: {
  readonly anchors: readonly number[];
  readonly pairs: readonly (Readonly<Record<CkaEstimator, Cka>> & {
    readonly a: string;
    readonly b: string;
    readonly svcca: number;
    readonly svccaOfAll: number;
    readonly pwcca: number | null;
    readonly procrustes: number;
    readonly relative: Readonly<Record<string, number>>;
  })[];
} = JSON.parse(readFileSync(new URL("golden/similarity.json", import.meta.url), "utf8"));

const SAMPLES = 40;

function wave([rows, columns]: readonly [number, number], seed: number, scale = 1, offset = 0): Matrix {
  const { data } = waves([rows, columns], seed, scale);
  return createMatrix(
    rows,
    columns,
    Float64Array.from(data as Float32Array, (value) => value + offset),
  );
}

const x = wave([SAMPLES, 7], 1, 1.5, 0.4);
const noise = wave([SAMPLES, 11], 2).data;
const mixed = multiply(x, wave([7, 11], 4));
const spread = multiply(x, wave([7, 60], 3));

/** The matrices of the script. */
const MATRICES: Readonly<Record<string, Matrix>> = {
  x,
  y: { ...mixed, data: mixed.data.map((value, i) => Math.max(0, value + 0.7 * (noise[i] ?? Number.NaN))) },
  wide: { ...spread, data: spread.data.map(Math.tanh) },
};

function matrixOf(name: string): Matrix {
  const matrix = MATRICES[name];
  if (matrix === undefined) throw new Error(`no matrix ${name}`);
  return matrix;
}

const SETTINGS = { block: 10, bandwidth: 0.8, anchors: 12, neighbours: 5, seed: 3 };

describe.each(golden.pairs)("similarity of $a and $b", ({ a, b, ...expected }) => {
  const measure = (options: CompareRepresentationsOptions) =>
    compareRepresentations([matrixOf(a), matrixOf(b)], { ...SETTINGS, ...options });
  const expectClose = (
    measured: Readonly<Partial<Record<SimilarityNumber, number | null>>>,
    numbers: object,
  ) => {
    expect(Object.keys(measured).sort()).toEqual(Object.keys(numbers).sort());
    for (const [name, value] of Object.entries(numbers)) {
      expect(Math.abs((measured[name as SimilarityNumber] ?? Number.NaN) - value), name).toBeLessThan(1e-10);
    }
  };

  test.each(CKA_ESTIMATORS)("CKA is NumPy's, %s", async (estimator) => {
    expectClose(await measure({ measures: ["linear-cka", "rbf-cka"], estimator }), expected[estimator]);
  });

  test.each(["biased", "unbiased"] as const)("streamed linear CKA is NumPy's, %s", async (estimator) => {
    const stream = createCkaStream({ estimator });
    await stream.add([matrixOf(a)], [matrixOf(b)]);
    expectClose(
      { "linear-cka": stream.result()[0]?.[0] ?? null },
      { "linear-cka": expected[estimator]["linear-cka"] },
    );
  });

  test("SVCCA, of some and of all of the variance, is NumPy's", async () => {
    expectClose(await measure({ measures: ["svcca"], variance: 0.99 }), { svcca: expected.svcca });
    expectClose(await measure({ measures: ["svcca"], variance: 1 }), { svcca: expected.svccaOfAll });
  });

  test("the Procrustes similarity is NumPy's", async () => {
    expectClose(await measure({ measures: ["procrustes"] }), { procrustes: expected.procrustes });
  });

  test("PWCCA is NumPy's, and refused for more features than samples", async () => {
    const pwcca = measure({ measures: ["pwcca"], variance: 0.99 });
    if (expected.pwcca === null) await expect(pwcca).rejects.toThrow(/60 features of 40 samples/);
    else expectClose(await pwcca, { pwcca: expected.pwcca });
  });

  test("numbers of relative representations are NumPy's, for the same anchors", async () => {
    const order = createRandom(3, "anchors").shuffleInPlace(Int32Array.from({ length: 40 }, (_, i) => i));
    expect([...order.slice(0, 12).sort()]).toEqual(golden.anchors);
    expectClose(await measure({ measures: ["relative"] }), expected.relative);
  });
});
