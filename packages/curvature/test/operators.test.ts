import {
  type Checkpoint,
  createRandom,
  MismatchError,
  OutOfRangeError,
  UnsupportedError,
} from "@isthmus/core";
import {
  type CurvatureOperator,
  empiricalFisher,
  gaussNewton,
  hessian,
  measureCurvature,
  spectralDensity,
  topEigenpairs,
} from "@isthmus/curvature";
import { createDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import type { DataSet, Graph } from "@isthmus/graph";
import { GraphBuilder, gemm, matMul, mul, reduceMean, slice, sub, tanh } from "@isthmus/graph/builder";
import { createMatrix, symmetricEigen } from "@isthmus/linear-algebra";
import { discoverSymmetries, permute, randomAlignment } from "@isthmus/symmetry";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { doubleExamples } from "../../../test/helpers/double-examples.ts";
import { randomExamples } from "../../../test/helpers/random-examples.ts";
import { randomNetwork } from "../../../test/helpers/random-network.ts";
import { smallCnn, smallMlp, smallTransformer } from "../../../test/helpers/small-networks.ts";
import { firstDerivatives } from "./first-derivatives.ts";

const engine = createOnnxRuntimeEngine();

async function use<T>(
  opened: Promise<CurvatureOperator>,
  run: (operator: CurvatureOperator) => Promise<T>,
): Promise<T> {
  const operator = await opened;
  try {
    return await run(operator);
  } finally {
    await operator.release();
  }
}

const product = async (operator: CurvatureOperator, vector: Float64Array): Promise<Float64Array> => {
  const out = new Float64Array(operator.dimension);
  await operator.apply(vector, out);
  return out;
};

const randomVector = (size: number, seed: number): Float64Array => {
  const random = createRandom(seed, "vector");
  return Float64Array.from({ length: size }, () => random.normal());
};

const inner = (x: Float64Array, y: Float64Array) =>
  x.reduce((sum, value, i) => sum + value * (y[i] as number), 0);
const distance = (x: Float64Array, y: Float64Array) =>
  Math.hypot(...x.map((value, i) => value - (y[i] as number)));

/** Linear layers in f64, 4 -> 3, or 4 -> 5 -> 3 with tanh between; logits of 3 classes. */
function classifier(isLinear: boolean): Graph {
  const b = new GraphBuilder(isLinear ? "linear" : "tanh", 21);
  const weight = (name: string, shape: readonly number[]) => b.weight(name, { dtype: "f64", shape });
  const x = b.input("x", { dtype: "f64", shape: [2, 4] });
  const hidden = isLinear ? x : tanh(gemm(x, weight("h.weight", [4, 5]), { bias: weight("h.bias", [5]) }));
  const out = gemm(hidden, weight("out.weight", [isLinear ? 4 : 5, 3]), { bias: weight("out.bias", [3]) });
  return b.build([out], { batchName: "N" });
}

/** Squared errors of a linear function of the first numbers of an example, of which the last is to be met. */
function regression(size: number): Graph {
  const b = new GraphBuilder("regression", 21);
  const rows = b.input("rows", { dtype: "f64", shape: [2, size + 1] });
  const x = slice(rows, [{ axis: 1, begin: 0, end: size }]);
  const y = slice(rows, [{ axis: 1, begin: size, end: size + 1 }]);
  const error = sub(matMul(x, b.weight("w", { dtype: "f64", shape: [size, 1] })), y);
  const loss = b.rename(reduceMean(mul(error, error)), "loss");
  return b.build([loss], { batchName: "N" });
}

const examples = (size = 11): DataSet => doubleExamples(randomExamples([4], { size, classes: 3, seed: 2 }));

describe("linear regression", () => {
  const SIZE = 12;
  const EXAMPLES = 40;
  const data = doubleExamples(randomExamples([SIZE + 1], { size: EXAMPLES, seed: 8 }));
  const architecture = { graph: regression(SIZE), engine };
  const network = randomNetwork(architecture.graph, 1);
  const loss = { kind: "output", output: "loss" } as const;

  /** Eigenvalues of twice the mean of `x x'`, falling. */
  function knownSpectrum(): number[] {
    const rows = Array.from(data.read(0, EXAMPLES).inputs.data as Float64Array);
    const moments = new Float64Array(SIZE * SIZE);
    for (let n = 0; n < EXAMPLES; n++) {
      const x = rows.slice(n * (SIZE + 1), n * (SIZE + 1) + SIZE);
      for (const place of moments.keys()) {
        const [left, right] = [x[Math.floor(place / SIZE)] as number, x[place % SIZE] as number];
        moments[place] = (moments[place] as number) + (2 * left * right) / EXAMPLES;
      }
    }
    return Array.from(symmetricEigen(createMatrix(SIZE, SIZE, moments)).values);
  }

  test("has the spectrum and the density of its inputs' second moments", async () => {
    const exact = knownSpectrum();
    await use(hessian(architecture, network, data, { loss, batchSize: 15 }), async (operator) => {
      const { largest } = await topEigenpairs(operator, { count: SIZE });
      for (const [i, { value }] of largest.entries()) expect(value).toBeCloseTo(exact[i] as number, 10);
      const width = 0.5;
      const { density, range } = await spectralDensity(operator, { runs: 200, width, points: 200 });
      const step = (range[1] - range[0]) / 199;
      const away = density.reduce((sum, y, place) => {
        const x = range[0] + place * step;
        const at = exact.reduce((total, value) => total + Math.exp(-0.5 * ((x - value) / width) ** 2), 0);
        return sum + step * Math.abs(y - at / (SIZE * width * Math.sqrt(2 * Math.PI)));
      }, 0);
      expect(away).toBeLessThan(0.1);
    });
  });

  test("has that trace, and gradient 0 at the least squares", async () => {
    const exact = knownSpectrum();
    const result = await measureCurvature(architecture, network, data, { loss, count: 2, runs: 0 });
    expect(result.trace?.trace).toBeCloseTo(
      exact.reduce((sum, x) => sum + x, 0),
      9,
    );
    expect(result.eigenvalues?.smallest[0]?.value).toBeCloseTo(exact.at(-1) as number, 9);
    expect(result.density).toBeUndefined();
  });

  test("is refused where an output or single losses are needed", async () => {
    await expect(gaussNewton(architecture, network, data, { loss })).rejects.toThrow(UnsupportedError);
    await expect(empiricalFisher(architecture, network, data, { loss })).rejects.toThrow(UnsupportedError);
  });
});

describe("hessian()", () => {
  test("is what differences of gradients are", () =>
    fc.assert(
      fc.asyncProperty(fc.nat(1000), fc.constantFrom(0.01, 1, 30), async (seed, scale) => {
        const graph = classifier(false);
        const [network, data] = [randomNetwork(graph, seed), examples()];
        const products = (derivatives: "exact" | "finite-differences") =>
          use(hessian({ graph, engine }, network, data, { derivatives, batchSize: 4 }), (operator) => {
            expect(operator.derivatives).toBe(derivatives);
            expect(operator.step).toBe(derivatives === "exact" ? undefined : 1e-5);
            return product(
              operator,
              randomVector(operator.dimension, seed).map((x) => scale * x),
            );
          });
        const exact = await products("exact");
        expect(distance(await products("finite-differences"), exact)).toBeLessThan(
          1e-7 * Math.hypot(...exact),
        );
      }),
      { numRuns: 10, seed: 1 },
    ));

  test("is symmetric and linear for all kinds of layers, in f32", async () => {
    const cases = [
      { graph: smallMlp(), shape: [6], classes: 4 },
      { graph: smallCnn(), shape: [2, 4, 4], classes: 3 },
    ];
    for (const { graph, shape, classes } of cases) {
      const data = randomExamples(shape, { size: 13, classes, seed: 3 });
      for (const open of [hessian, gaussNewton, empiricalFisher]) {
        await use(
          open({ graph, engine }, randomNetwork(graph, 1), data, { batchSize: 5 }),
          async (operator) => {
            const [u, v] = [randomVector(operator.dimension, 1), randomVector(operator.dimension, 2)];
            const [left, right] = [await product(operator, u), await product(operator, v)];
            const scale = Math.hypot(...left) * Math.hypot(...v);
            expect(Math.abs(inner(left, v) - inner(u, right))).toBeLessThan(1e-5 * scale);
            const both = await product(
              operator,
              u.map((x, i) => x - 2 * (v[i] as number)),
            );
            const sum = left.map((x, i) => x - 2 * (right[i] as number));
            expect(distance(both, sum)).toBeLessThan(1e-5 * Math.hypot(...sum));
          },
        );
      }
    }
  });

  test("gives products that are asked for at once the bits of products one by one", async () => {
    const graph = smallMlp();
    const data = randomExamples([6], { size: 53, classes: 4, seed: 3 });
    await use(
      hessian({ graph, engine }, randomNetwork(graph, 1), data, { batchSize: 5 }),
      async (operator) => {
        const vectors = [1, 2, 3].map((seed) => randomVector(operator.dimension, seed));
        const together = await Promise.all(vectors.map((vector) => product(operator, vector)));
        for (const [i, vector] of vectors.entries())
          expect(together[i]).toEqual(await product(operator, vector));
      },
    );
  });

  test("takes differences where second derivatives cannot be run, and says why", async () => {
    const graph = classifier(false);
    const network = randomNetwork(graph, 1);
    const limited = firstDerivatives(engine);
    const { derivatives, reason, step, eigenvalues } = await measureCurvature(
      { graph, engine: limited },
      network,
      examples(),
      { count: 2, runs: 0, traceProducts: 0 },
    );
    expect({ derivatives, reason, step }).toEqual({
      ...{ derivatives: "finite-differences", reason: "Cannot differentiate twice", step: 1e-5 },
    });
    const exact = await measureCurvature({ graph, engine }, network, examples(), {
      ...{ count: 2, runs: 0, traceProducts: 0 },
    });
    expect(exact.reason).toBeUndefined();
    for (const [i, { value }] of (exact.eigenvalues?.largest ?? []).entries())
      expect(Math.abs(value - (eigenvalues?.largest[i]?.value ?? Number.NaN))).toBeLessThan(1e-6);
    const refused = hessian({ graph, engine: limited }, network, examples(), { derivatives: "exact" });
    await expect(refused).rejects.toThrow("Cannot differentiate twice");
  });

  test("has residuals that are not below the rounding of an f32 graph", async () => {
    const graph = smallMlp();
    const data = randomExamples([6], { size: 30, classes: 4, seed: 3 });
    await use(hessian({ graph, engine }, randomNetwork(graph, 6), data), async (operator) => {
      const { largest } = await topEigenpairs(operator, { count: 3, tolerance: 1e-5 });
      for (const { value, vector, residual } of largest) {
        const left = (await product(operator, vector)).map((x, i) => x - value * (vector[i] as number));
        // Products with two roundings of one vector differ by rounding again.
        expect(Math.hypot(...left)).toBeLessThan(residual + 1e-6 * value);
        expect(residual).toBeGreaterThan(1e-9 * value);
        expect(residual).toBeLessThanOrEqual(1e-5 * (largest[0]?.value ?? 0));
      }
    });
  });

  test("of a part of the parameters is that part of the whole", async () => {
    const graph = classifier(false);
    const network = randomNetwork(graph, 1);
    const whole = await use(hessian({ graph, engine }, network, examples()), (operator) => {
      expect(operator.layout.map(({ name }) => name)).toEqual([
        "h.weight",
        "h.bias",
        "out.weight",
        "out.bias",
      ]);
      const vector = new Float64Array(operator.dimension).fill(1, 20, 25);
      return product(operator, vector);
    });
    const part = await use(
      hessian({ graph, engine }, network, examples(), { parameters: ["h.*"] }),
      (operator) => {
        expect(operator.layout.map(({ offset }) => offset)).toEqual([0, 20]);
        return product(operator, new Float64Array(25).fill(1, 20, 25));
      },
    );
    expect(distance(part, whole.slice(0, 25))).toBeLessThan(1e-14);
  });

  test("refuses networks of other graphs, no parameters and unknown derivatives", async () => {
    const graph = classifier(false);
    const network = randomNetwork(graph, 1);
    const open = (options: object, checkpoint: Checkpoint = network) =>
      hessian({ graph, engine }, checkpoint, examples(), options);
    await expect(open({}, randomNetwork(smallMlp(), 1))).rejects.toThrow(MismatchError);
    await expect(open({ parameters: ["none.*"] })).rejects.toThrow('"parameters" must match');
    await expect(open({ derivatives: "guessed" })).rejects.toThrow(OutOfRangeError);
    await expect(open({ batchSize: 0 })).rejects.toThrow(OutOfRangeError);
    await expect(open({ step: -1 })).rejects.toThrow(OutOfRangeError);
  });
});

describe("gaussNewton()", () => {
  test("is the Hessian where the network is linear, and not elsewhere", async () => {
    for (const isLinear of [true, false]) {
      const graph = classifier(isLinear);
      const network = randomNetwork(graph, 4);
      const [h, g] = await Promise.all(
        [hessian, gaussNewton].map((open) =>
          use(open({ graph, engine }, network, examples()), (operator) =>
            product(operator, randomVector(operator.dimension, 5)),
          ),
        ),
      );
      if (h === undefined || g === undefined) throw new Error("no products");
      const away = distance(h, g) / Math.hypot(...h);
      if (isLinear) expect(away).toBeLessThan(1e-13);
      else expect(away).toBeGreaterThan(0.01);
    }
  });

  test("is positive semi-definite, as is the empirical Fisher information, and the Hessian is not", async () => {
    const graph = classifier(false);
    const smallest = (open: typeof gaussNewton, seed: number) =>
      use(open({ graph, engine }, randomNetwork(graph, seed), examples()), async (operator) => {
        const pairs = await topEigenpairs(operator, { count: 1, end: "smallest", tolerance: 0 });
        return pairs.smallest[0]?.value ?? Number.NaN;
      });
    for (const seed of [1, 2, 3]) {
      expect(await smallest(gaussNewton, seed)).toBeGreaterThan(-1e-12);
      expect(await smallest(empiricalFisher, seed)).toBeGreaterThan(-1e-12);
      expect(await smallest(hessian, seed)).toBeLessThan(-1e-3);
    }
  });
});

test("the empirical Fisher information is the mean of squares of gradients of single examples", async () => {
  const graph = smallTransformer();
  const network = randomNetwork(graph, 2);
  const labels = {
    dtype: "i32",
    shape: [5, 4],
    data: Int32Array.from({ length: 20 }, (_, i) => i % 3),
  } as const;
  const { inputs } = randomExamples([4, 5], { size: 5 }).read(0, 5);
  const data = createDataSet(inputs, labels, { name: "positions" });
  const v = (size: number) => randomVector(size, 3);
  let expected = 0;
  for (let i = 0; i < 5; i++) {
    const single = createDataSet(
      { ...inputs, shape: [1, 4, 5], data: inputs.data.slice(i * 20, (i + 1) * 20) as Float32Array },
      { ...labels, shape: [1, 4], data: labels.data.slice(i * 4, (i + 1) * 4) },
      { classes: 3 },
    );
    await use(hessian({ graph, engine }, network, single), async (operator) => {
      const gradient = new Float64Array(operator.dimension);
      await operator.gradient(gradient);
      expected += inner(gradient, v(operator.dimension)) ** 2 / 5;
    });
  }
  await use(empiricalFisher({ graph, engine }, network, data, { batchSize: 2 }), async (operator) => {
    const vector = v(operator.dimension);
    expect(Math.abs(inner(vector, await product(operator, vector)) / expected - 1)).toBeLessThan(1e-5);
  });
});

test("a permuted network has the same spectrum", async () => {
  const graph = smallMlp();
  const network = randomNetwork(graph, 6);
  const { spec } = await discoverSymmetries({ graph, engine });
  const permuted = permute(randomAlignment(spec, 3), network, spec);
  const data = randomExamples([6], { size: 30, classes: 4, seed: 3 });
  const spectrum = async (checkpoint: Checkpoint) => {
    const { eigenvalues } = await measureCurvature({ graph, engine }, checkpoint, data, {
      ...{ count: 5, steps: 200, traceProducts: 0, tolerance: 1e-6 },
    });
    return [...(eigenvalues?.largest ?? []), ...(eigenvalues?.smallest ?? [])].map(({ value }) => value);
  };
  const [before, after] = [await spectrum(network), await spectrum(permuted)];
  expect(before).toHaveLength(10);
  for (const [i, value] of before.entries()) {
    expect(Math.abs(value - (after[i] ?? Number.NaN))).toBeLessThan(1e-5 * (before[0] as number));
  }
});
