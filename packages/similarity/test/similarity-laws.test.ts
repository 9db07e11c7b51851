import { createRandom } from "@isthmus/core";
import { createMatrix, type Matrix, multiply, orthonormalize, plainProducts } from "@isthmus/linear-algebra";
import {
  compareRepresentations,
  createCkaStream,
  SIMILARITY_MEASURES,
  type SimilarityMeasure,
} from "@isthmus/similarity";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

const SAMPLES = 30;
const RUNS = { numRuns: 8 };
const OPTIONS = { neighbours: 4, anchors: 12, bandwidth: 0.5 };

function randomMatrix(rows: number, columns: number, seed: number): Matrix {
  const random = createRandom(seed, `${rows} x ${columns}`);
  return createMatrix(
    rows,
    columns,
    Float64Array.from({ length: rows * columns }, () => random.normal()),
  );
}

/** Samples that share some of what they vary in. */
function pairOf(seed: number, columns: readonly [number, number]): [Matrix, Matrix] {
  const x = randomMatrix(SAMPLES, columns[0], seed);
  const mixed = multiply(x, randomMatrix(columns[0], columns[1], seed + 1));
  const noise = randomMatrix(SAMPLES, columns[1], seed + 2).data;
  return [x, { ...mixed, data: mixed.data.map((value, i) => value + 2 * (noise[i] ?? 0)) }];
}

const rotate = async (matrix: Matrix, seed: number): Promise<Matrix> =>
  multiply(matrix, await orthonormalize(randomMatrix(matrix.columns, matrix.columns, seed), plainProducts));
const scale = (matrix: Matrix, factor: number): Matrix => ({
  ...matrix,
  data: matrix.data.map((value) => factor * value),
});

const seeds = fc.nat({ max: 10_000 });
/** Widths below and above the number of samples. */
const widths = fc.constantFrom<readonly [number, number]>([5, 8], [8, 5], [6, 50], [50, 6], [40, 60]);
const ROTATED = SIMILARITY_MEASURES.filter((name) => name !== "pwcca");

async function expectSame(
  measure: SimilarityMeasure,
  [before, after]: readonly [readonly [Matrix, Matrix], readonly [Matrix, Matrix]],
  variance = 0.9,
): Promise<void> {
  const options = { ...OPTIONS, measures: [measure], variance };
  const [one, other] = [
    await compareRepresentations(before, options),
    await compareRepresentations(after, options),
  ];
  expect(Object.keys(other)).toEqual(Object.keys(one));
  for (const [name, value] of Object.entries(one)) {
    expect(other[name as keyof typeof other], name).toBeCloseTo(value ?? Number.NaN, 8);
  }
}

describe("similarity of representations", () => {
  test.each(ROTATED)(
    "%s stays the same if features are rotated and scaled by one factor",
    async (measure) => {
      await fc.assert(
        fc.asyncProperty(seeds, widths, async (seed, columns) => {
          const [x, y] = pairOf(seed, columns);
          const turned = [
            scale(await rotate(x, seed + 3), 3.5),
            scale(await rotate(y, seed + 4), 0.02),
          ] as const;
          await expectSame(measure, [[x, y], turned]);
        }),
        RUNS,
      );
    },
  );

  test.each(["linear-cka", "rbf-cka", "svcca", "pwcca", "procrustes"] as const)(
    "%s stays the same if all samples are shifted",
    async (measure) => {
      const [x, y] = pairOf(1, [6, 9]);
      const shifted = { ...y, data: y.data.map((value, i) => value + 5 + (i % y.columns)) };
      await expectSame(measure, [
        [x, y],
        [x, shifted],
      ]);
    },
  );

  test("SVCCA of all the variance stays the same if features are mixed, and CKA does not", async () => {
    await fc.assert(
      fc.asyncProperty(seeds, async (seed) => {
        const [x, y] = pairOf(seed, [5, 7]);
        const stretched = x.data.map((value, i) => value * (1 + 2 * (i % x.columns)));
        const mixed = await rotate({ ...x, data: stretched }, seed + 3);
        await expectSame(
          "svcca",
          [
            [x, y],
            [mixed, y],
          ],
          1,
        );
        const cka = (first: Matrix) => compareRepresentations([first, y], { measures: ["linear-cka"] });
        const [plain, changed] = [await cka(x), await cka(mixed)];
        expect(Math.abs((plain["linear-cka"] ?? 0) - (changed["linear-cka"] ?? 0))).toBeGreaterThan(1e-6);
      }),
      RUNS,
    );
  });

  test.each(SIMILARITY_MEASURES)("%s of a representation with itself is 1", async (measure) => {
    await fc.assert(
      fc.asyncProperty(seeds, widths, async (seed, [columns]) => {
        fc.pre(measure !== "pwcca" || columns <= SAMPLES);
        const x = randomMatrix(SAMPLES, columns, seed);
        const numbers = await compareRepresentations([x, x], { ...OPTIONS, measures: [measure] });
        for (const value of Object.values(numbers)) expect(value).toBeCloseTo(1, 8);
      }),
      RUNS,
    );
  });

  test.each(["linear-cka", "rbf-cka", "svcca", "procrustes"] as const)("%s is symmetric", async (measure) => {
    const [x, y] = pairOf(4, [6, 45]);
    await expectSame(measure, [
      [x, y],
      [y, x],
    ]);
  });

  test.each(["biased", "unbiased"] as const)(
    "streamed linear CKA does not depend on batches, %s",
    async (estimator) => {
      await fc.assert(
        fc.asyncProperty(seeds, fc.integer({ min: 1, max: SAMPLES }), async (seed, batch) => {
          const [x, y] = pairOf(seed, [6, 9]);
          const far = { ...x, data: x.data.map((value) => value + 100) };
          const stream = createCkaStream({ estimator });
          for (let begin = 0; begin < SAMPLES; begin += batch) {
            const part = ({ columns, data }: Matrix) => {
              const rows = Math.min(batch, SAMPLES - begin);
              return createMatrix(rows, columns, data.slice(begin * columns, (begin + rows) * columns));
            };
            await stream.add([part(far)], [part(y)]);
          }
          const whole = await compareRepresentations([far, y], { measures: ["linear-cka"], estimator });
          const difference = (stream.result()[0]?.[0] ?? Number.NaN) - (whole["linear-cka"] ?? Number.NaN);
          expect(Math.abs(difference)).toBeLessThan(1e-10);
        }),
        RUNS,
      );
    },
  );

  test("a representation that does not vary has no similarity", async () => {
    const [x] = pairOf(5, [6, 9]);
    const still = createMatrix(SAMPLES, 3, new Float64Array(3 * SAMPLES).fill(2));
    const measures = ["linear-cka", "rbf-cka", "svcca", "procrustes"] as const;
    for (const measure of measures) {
      const numbers = await compareRepresentations([x, still], { measures: [measure], estimator: "biased" });
      expect(numbers[measure], measure).toBeNull();
    }
  });

  test.each([
    [{ bandwidth: 0 }, /"bandwidth" must be a number above 0: it is 0/],
    [{ variance: 1.5 }, /"variance" must be a number above 0 and at most 1: it is 1.5/],
    [{ measures: [] }, /"measures" must be a list of 1 or more/],
    [{ neighbours: 20 }, /at least 42 samples: there are 30/],
    [{ estimator: "minibatch" as const, block: 64 }, /at least 64 samples: there are 30/],
  ])("refuses options %j", async (options, message) => {
    await expect(compareRepresentations(pairOf(1, [3, 4]), options)).rejects.toThrow(message);
  });

  test("refuses matrices of other samples", async () => {
    const matrices = [randomMatrix(8, 3, 1), randomMatrix(9, 3, 1)] as const;
    await expect(compareRepresentations(matrices, { measures: ["procrustes"] })).rejects.toThrow(/8 and 9/);
  });
});
