import { readFileSync } from "node:fs";
import { type Checkpoint, createCheckpoint, createRandom, createTensor } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { createMatrix, createProducts, multiply, plainProducts } from "@isthmus/linear-algebra";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fisherMerge } from "./fisher-merge.ts";
import { regmean } from "./regmean.ts";
import { type GramRequest, regmeanPlusPlus } from "./regmean-plus-plus.ts";

/** Networks of two tasks, with results of NumPy: tools/golden/mergekit-means.py. */
const golden: Record<"weights" | "biases" | "grams" | "fishers", number[][]> &
  Record<"regmean" | "fisher", number[]> = JSON.parse(
  readFileSync(new URL("../../test/golden/means.json", import.meta.url), "utf8"),
).withData;

const [OUTPUTS, INPUTS] = [3, 5];
const tensor = (shape: readonly number[], values: readonly number[]) =>
  createTensor("f64", shape, Float64Array.from(values));
const networks = golden.weights.map((weight, i) =>
  createCheckpoint({
    "fc.weight": tensor([OUTPUTS, INPUTS], weight),
    "fc.bias": tensor([OUTPUTS], golden.biases[i]!),
  }),
);
const gramsOf = (all: readonly (readonly number[])[]): Checkpoint[] =>
  all.map((gram) => createCheckpoint({ "fc.weight": tensor([INPUTS, INPUTS], gram) }));

async function expectNumbers(merged: Checkpoint, name: string, expected: readonly number[]): Promise<void> {
  const { data } = await merged.read(name);
  for (const [i, x] of expected.entries()) expect(data[i]).toBeCloseTo(x, 10);
}

describe("regmean()", () => {
  test("solves linear layers as NumPy does, and averages the rest", async () => {
    const merged = regmean(networks, gramsOf(golden.grams));
    await expectNumbers(merged, "fc.weight", golden.regmean);
    const mean = golden.biases[0]!.map((x, i) => (x + golden.biases[1]![i]!) / 2);
    await expectNumbers(merged, "fc.bias", mean);
    const range = await merged.readRange("fc.weight", 4, 9);
    expect([...range]).toEqual([...(await merged.read("fc.weight")).data.slice(4, 9)]);
  });

  test("gives back a network that is merged with itself, and needs no order", async () => {
    const [first, second] = networks as [Checkpoint, Checkpoint];
    await expectNumbers(regmean([first, first], gramsOf(golden.grams)), "fc.weight", golden.weights[0]!);
    const turned = regmean([second, first], gramsOf([...golden.grams].reverse()));
    await expectNumbers(turned, "fc.weight", golden.regmean);
  });

  test("solves large layers by any products: what networks agree on stays", async () => {
    const { normal } = createRandom(1, "regmean");
    const [outputs, inputs] = [40, 150];
    const normals = (count: number) => Float64Array.from({ length: count }, normal);
    const weight = createTensor("f64", [outputs, inputs], normals(outputs * inputs));
    const grams = [2, 3].map(() => {
      const examples = createMatrix(400, inputs, normals(400 * inputs));
      const { data } = multiply(examples, examples, { transposeLeft: true });
      return createCheckpoint({ w: createTensor("f64", [inputs, inputs], data as Float64Array) });
    });
    const network = createCheckpoint({ w: weight });
    const products = createProducts(createOnnxRuntimeEngine(), 1);
    for (const by of [plainProducts, products]) {
      const { data } = await regmean([network, network], grams, { products: by }).read("w");
      const errors = Array.from(data as Float64Array, (x, i) => Math.abs(x - Number(weight.data[i])));
      expect(Math.max(...errors)).toBeLessThan(1e-12);
    }
    await products.release();
  });

  test("refuses Gram matrices that are missing, of another shape, or singular", async () => {
    expect(() => regmean(networks, gramsOf(golden.grams.slice(1)))).toThrow("each of 2 networks needs Gram");
    const wrong = golden.grams.map(() => createCheckpoint({ "fc.bias": tensor([1, 1], [1]) }));
    expect(() => regmean(networks, wrong)).toThrow(
      'the weight is [3], what was measured in "memory" is [1, 1]',
    );
    const zeros = golden.grams.map((gram) => gram.map(() => 0));
    await expect(regmean(networks, gramsOf(zeros)).read("fc.weight")).rejects.toThrow("positive definite");
    expect(() => regmean(networks, gramsOf(golden.grams), { offDiagonal: 2 })).toThrow("it is 2");
  });
});

describe("fisherMerge()", () => {
  const weightsOnly = golden.weights.map((w) => createCheckpoint({ w: tensor([OUTPUTS, INPUTS], w) }));
  const fishers = golden.fishers.map((f) => createCheckpoint({ w: tensor([OUTPUTS, INPUTS], f) }));

  test("weights elements as NumPy does", () =>
    expectNumbers(fisherMerge(weightsOnly, fishers), "w", golden.fisher));

  test("keeps equal elements, bit for bit, and stays between the networks", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.float({ noNaN: true, noDefaultInfinity: true }), fc.float({ min: 0, max: 9 })), {
          minLength: 2,
          maxLength: 4,
        }),
        fc.float({ noNaN: true, noDefaultInfinity: true, min: -9, max: 9 }),
        async (pairs, shared) => {
          const of = (...w: number[]) =>
            createCheckpoint({ w: createTensor("f32", [2], Float32Array.from(w)) });
          const all = pairs.map(([x]) => of(shared, x / 2));
          const information = pairs.map(([, f]) => of(Number.isNaN(f) ? 0 : f, Number.isNaN(f) ? 0 : f));
          const { data } = await fisherMerge(all, information).read("w");
          expect(data[0]).toBe(Math.fround(shared));
          const values = pairs.map(([x]) => Math.fround(x / 2));
          expect(data[1]).toBeGreaterThanOrEqual(Math.min(...values));
          expect(data[1]).toBeLessThanOrEqual(Math.max(...values));
        },
      ),
      {
        examples: [
          [
            [
              [0, 0],
              [0, 0],
            ],
            -0,
          ],
        ],
      },
    ));

  test("refuses weights that are not positive, and Fisher information that is missing", () => {
    expect(() => fisherMerge(weightsOnly, fishers, { weights: [1, 0] })).toThrow(
      "a positive weight: got 1, 0",
    );
    expect(() => fisherMerge(weightsOnly, fishers, { floor: 0 })).toThrow(
      '"floor" must be positive: it is 0',
    );
    expect(() => fisherMerge(weightsOnly, fishers.slice(1))).toThrow("each of 2 networks needs its Fisher");
    expect(() => fisherMerge([], [])).toThrow("there must be a network");
  });
});

describe("regmeanPlusPlus()", () => {
  /** Gram matrix of examples `[examples, n]`. */
  const gramOf = (rows: readonly (readonly number[])[]) => {
    const n = rows[0]!.length;
    return Array.from({ length: n * n }, (_, p) =>
      rows.reduce((sum, row) => sum + row[Math.floor(p / n)]! * row[p % n]!, 0),
    );
  };
  const apply = (weight: ArrayLike<unknown>, row: readonly number[], outputs: number) =>
    Array.from({ length: outputs }, (_, o) =>
      row.reduce((sum, x, k) => sum + Number(weight[o * row.length + k]) * x, 0),
    );
  const wave = (length: number, seed: number) =>
    Array.from({ length }, (_, i) => Math.sin(seed + 1.7 * i * i));
  // Two networks of two linear layers, 3 to 4 to 2, on data of their own.
  const pair = [1, 5].map((seed) =>
    createCheckpoint({ first: tensor([4, 3], wave(12, seed)), second: tensor([2, 4], wave(8, seed + 2)) }),
  );
  const examples = [2, 7].map((seed) => Array.from({ length: 9 }, (_, e) => wave(3, seed + 10 * e)));
  const measure = async ({ network, layers, data }: GramRequest): Promise<Checkpoint> => {
    const { data: first } = await network.read("first");
    const inputs = examples[data]!.map((row) => (layers.includes("first") ? row : apply(first, row, 4)));
    const name = layers[0]!;
    const n = inputs[0]!.length;
    return createCheckpoint({ [name]: tensor([n, n], gramOf(inputs)) });
  };

  test("fits each layer to the inputs that the merged layers before it give", async () => {
    const progress: number[] = [];
    const merged = await regmeanPlusPlus(pair, [["first"], ["second"]], measure, {
      offDiagonal: 0.9,
      onProgress: ({ done }) => progress.push(done),
    });
    expect(progress).toEqual([0.5, 1]);
    const plain = regmean(
      pair,
      [
        await measure({ network: pair[0]!, layers: ["first"], data: 0 }),
        await measure({ network: pair[1]!, layers: ["first"], data: 1 }),
      ],
      { offDiagonal: 0.9 },
    );
    expect(await merged.read("first")).toEqual(await plain.read("first"));
    // At the least sum of squared differences its gradient is 0: sum of (W - W_i) G_i.
    const { data: solution } = await merged.read("second");
    const gradient = new Float64Array(8);
    for (const [i, network] of pair.entries()) {
      const { data: gram } = await (await measure({ network: merged, layers: ["second"], data: i })).read(
        "second",
      );
      const { data: weight } = await network.read("second");
      for (let p = 0; p < 8; p++) {
        for (let k = 0; k < 4; k++) {
          const place = Math.floor(p / 4) * 4 + k;
          const factor = Number(gram[k * 4 + (p % 4)]) * (k === p % 4 ? 1 : 0.9);
          gradient[p] = gradient[p]! + (Number(solution[place]) - Number(weight[place])) * factor;
        }
      }
    }
    for (const x of gradient) expect(x).toBeCloseTo(0, 9);
  });

  test("stops when asked", async () => {
    const signal = AbortSignal.abort();
    await expect(regmeanPlusPlus(pair, [["first"]], measure, { signal })).rejects.toThrow(/abort/i);
  });
});
