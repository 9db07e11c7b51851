import { createCheckpoint, createRandom, type Tensor, UnsupportedError } from "@isthmus/core";
import {
  type CurvatureOperator,
  gaussNewton,
  hessian,
  learningCoefficient,
  measureCurvature,
  openLossSurface,
  sampledGaussNewton,
  topEigenpairs,
} from "@isthmus/curvature";
import { createDataSet, createTextDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import type { DataSet, Graph } from "@isthmus/graph";
import { GraphBuilder, gemm, matMul, mul, reduceMean, slice, sub } from "@isthmus/graph/builder";
import { discoverLinearSymmetries, discoverSymmetries } from "@isthmus/symmetry";
import { parseNetwork } from "@isthmus/zoo";
import { describe, expect, test } from "vitest";
import { doubleExamples } from "../../../test/helpers/double-examples.ts";
import { markovText } from "../../../test/helpers/markov-text.ts";
import { randomExamples } from "../../../test/helpers/random-examples.ts";
import { randomNetwork } from "../../../test/helpers/random-network.ts";
import { smallMlp, smallTransformer } from "../../../test/helpers/small-networks.ts";
import { transformRandomly } from "../../symmetry/src/linear/verify-linear-symmetries.ts";

const engine = createOnnxRuntimeEngine();

const randomVector = (size: number, seed: number): Float64Array => {
  const random = createRandom(seed, "vector");
  return Float64Array.from({ length: size }, () => random.normal());
};

async function productOf(
  opened: Promise<CurvatureOperator>,
  vector: (size: number) => Float64Array,
): Promise<Float64Array> {
  const operator = await opened;
  try {
    const out = new Float64Array(operator.dimension);
    await operator.apply(vector(operator.dimension), out);
    return out;
  } finally {
    await operator.release();
  }
}

const away = (x: Float64Array, y: Float64Array) =>
  Math.hypot(...x.map((value, i) => value - (y[i] as number))) / Math.hypot(...y);

const data = randomExamples([6], { size: 30, classes: 4, seed: 3 });

describe("measureCurvature() by layer", () => {
  test("is what each layer has alone, and the traces add up", async () => {
    const graph = smallMlp();
    const network = randomNetwork(graph, 1);
    const measure = (options: object) =>
      measureCurvature({ graph, engine }, network, data, {
        ...{ count: 1, runs: 0, traceProducts: 400, tolerance: 1e-6 },
        ...options,
      });
    const { layers = [], trace, gradientNorm } = await measure({ by: "layer" });
    expect(layers.map(({ name }) => name)).toEqual(["l0", "l1", "l2"]);
    expect(layers.reduce((sum, layer) => sum + (layer.trace?.trace ?? Number.NaN), 0)).toBeCloseTo(
      trace?.trace ?? Number.NaN,
      4,
    );
    expect(Math.hypot(...layers.map((layer) => layer.gradientNorm))).toBeCloseTo(gradientNorm, 10);
    for (const { name, largest, dimension, parameters } of layers) {
      const alone = await measure({ parameters: [`${name}.*`] });
      expect(alone.parameters).toEqual(parameters);
      expect(alone.dimension).toBe(dimension);
      const value = alone.eigenvalues?.largest[0]?.value ?? Number.NaN;
      expect(Math.abs((largest?.value ?? Number.NaN) / value - 1)).toBeLessThan(1e-4);
    }
    await expect(measure({ by: "unit" })).rejects.toThrow('"by" must be one of layer, block');
  });
});

describe("sampledGaussNewton()", () => {
  test("is the exact matrix on average, and the same for the same seed in any batches", async () => {
    const graph = smallMlp();
    const network = randomNetwork(graph, 2);
    const vector = (size: number) => randomVector(size, 1);
    const sampled = (options: object) =>
      productOf(sampledGaussNewton({ graph, engine }, network, data, options), vector);
    const exact = await productOf(gaussNewton({ graph, engine }, network, data), vector);
    const few = await sampled({ labelSamples: 1 });
    expect(away(few, exact)).toBeGreaterThan(0.1);
    const many = await sampled({ labelSamples: 80, seed: 4 });
    expect(away(many, exact)).toBeLessThan(0.5 * away(few, exact));
    expect(away(many, exact)).toBeLessThan(0.15);
    expect(away(await sampled({ batchSize: 7 }), few)).toBeLessThan(1e-5);
    expect(away(await sampled({ seed: 1 }), few)).toBeGreaterThan(0.1);
  }, 60_000);

  test("is refused where there are no single labels", async () => {
    const text = createTextDataSet(markovText(400, 1), { context: 8 });
    const { graph, initialize } = parseNetwork("gpt:d1:w16:h2", text);
    const refused = sampledGaussNewton({ graph, engine }, initialize(0), text);
    await expect(refused).rejects.toThrow(UnsupportedError);
  });
});

describe("other losses and networks", () => {
  /** Checks that exact products of the Hessian are differences of gradients, and Gauss-Newton is semi-definite. */
  async function agree(
    graph: Graph,
    network: ReturnType<typeof randomNetwork>,
    examples: DataSet,
    options: object,
  ) {
    const vector = (size: number) => randomVector(size, 2);
    const open = (derivatives: "exact" | "finite-differences") =>
      hessian({ graph, engine }, network, examples, { ...options, derivatives });
    const [exact, differences] = [
      await productOf(open("exact"), vector),
      await productOf(open("finite-differences"), vector),
    ];
    expect(away(differences, exact)).toBeLessThan(0.02);
    const product = await productOf(gaussNewton({ graph, engine }, network, examples, options), vector);
    const inner = vector(product.length).reduce((sum, x, i) => sum + x * (product[i] as number), 0);
    expect(inner).toBeGreaterThan(0);
  }

  test("work for the next token of a small transformer", async () => {
    const text = createTextDataSet(markovText(600, 1), { context: 8 });
    const { graph, initialize } = parseNetwork("gpt:d1:w16:h2", text);
    await agree(graph, initialize(0), text, { examples: 20, loss: { kind: "next-token" } });
  });

  test("work for squared errors, where a linear network has a known Hessian", async () => {
    const b = new GraphBuilder("autoencoder", 21);
    const x = b.input("x", { dtype: "f64", shape: [2, 3] });
    const graph = b.build([gemm(x, b.weight("w", { dtype: "f64", shape: [3, 3] }))], { batchName: "N" });
    const rows = doubleExamples(randomExamples([3], { size: 9, seed: 1 }));
    const options = { loss: { kind: "mean-squared-error" } } as const;
    const exact = await productOf(
      hessian({ graph, engine }, randomNetwork(graph, 1), rows, options),
      (size) => new Float64Array(size).fill(1, 0, 1),
    );
    const values = rows.read(0, 9).inputs.data as Float64Array;
    for (let i = 0; i < 3; i++) {
      let moment = 0;
      for (let n = 0; n < 9; n++)
        moment += (2 * (values[3 * n] as number) * (values[3 * n + i] as number)) / 27;
      expect(exact[3 * i]).toBeCloseTo(moment, 12);
    }
    expect(exact[1]).toBeCloseTo(0, 12);
    await agree(graph, randomNetwork(graph, 1), rows, options);
  });

  test("work for attention with a label at each position", async () => {
    const graph = smallTransformer();
    const { inputs } = randomExamples([4, 5], { size: 6 }).read(0, 6);
    const labels = {
      dtype: "i32",
      shape: [6, 4],
      data: Int32Array.from({ length: 24 }, (_, i) => i % 3),
    } as const;
    await agree(graph, randomNetwork(graph, 2), createDataSet(inputs, labels, { name: "positions" }), {});
  });
});

describe("operators whose second derivatives are not compared with differences elsewhere", () => {
  /** The mean square of an operator's results over products of the examples with weights. */
  function graphOf(op: "PRelu" | "ReduceProd"): Graph {
    const b = new GraphBuilder(op, 21);
    const x = b.input("x", { dtype: "f32", shape: [2, 4] });
    const scaled = mul(x, b.weight("w", { dtype: "f32", shape: [4] }));
    const isProduct = op === "ReduceProd";
    const operand = isProduct ? b.ints([1]) : b.weight("slope", { dtype: "f32", shape: [4] });
    const shape = isProduct ? [2, 1] : [2, 4];
    const [result] = b.emit(op, [scaled, operand], [{ dtype: "f32", shape }]);
    if (result === undefined) throw new Error("no result");
    return b.build([b.rename(reduceMean(mul(result, result)), "loss")], { batchName: "N" });
  }

  test.each(["PRelu", "ReduceProd"] as const)("%s has them, even where a weight is 0", async (op) => {
    const graph = graphOf(op);
    const values = op === "PRelu" ? [1, -2, 0.5, 1.5] : [0, 1.2, -0.7, 1.1];
    const tensors = [...graph.weights].map(([name, { shape }], i) => {
      const data = Float32Array.from(values, (value) => value + i / 7);
      return [name, { dtype: "f32", shape, data }] as const;
    });
    const network = createCheckpoint(new Map(tensors), {}, op);
    const rows = randomExamples([4], { size: 6, seed: 2 });
    const loss = { kind: "output", output: "loss" } as const;
    const open = (derivatives: "auto" | "finite-differences") =>
      hessian({ graph, engine }, network, rows, { loss, derivatives });
    const operator = await open("auto");
    expect(operator.derivatives).toBe("exact");
    await operator.release();
    const vector = (size: number) => randomVector(size, 3);
    const exact = await productOf(open("auto"), vector);
    expect(away(await productOf(open("finite-differences"), vector), exact)).toBeLessThan(0.01);
  });
});

test("linear regression has half as large a learning coefficient as it has parameters", async () => {
  const SIZE = 4;
  const b = new GraphBuilder("regression", 21);
  const rows = b.input("rows", { dtype: "f64", shape: [2, SIZE + 1] });
  const x = slice(rows, [{ axis: 1, begin: 0, end: SIZE }]);
  const y = slice(rows, [{ axis: 1, begin: SIZE, end: SIZE + 1 }]);
  const error = sub(matMul(x, b.weight("w", { dtype: "f64", shape: [SIZE, 1] })), y);
  const graph = b.build([b.rename(reduceMean(mul(error, error)), "loss")], { batchName: "N" });
  const examples = 200;
  const { inputs } = randomExamples([SIZE + 1], { size: examples, seed: 8 }).read(0, examples);
  const values = Float32Array.from(inputs.data as Float32Array);
  for (let n = 1; n <= examples; n++) values[n * (SIZE + 1) - 1] = 0; // met exactly by weights of 0
  const met = createDataSet({ ...inputs, data: values } as Tensor, new Int32Array(examples), {
    name: "rows",
  });
  const noiseless = doubleExamples(met);
  const zero = { dtype: "f64", shape: [SIZE, 1], data: new Float64Array(SIZE) } as const;
  const network = createCheckpoint(new Map([["w", zero]]), {}, "least squares");
  const surface = await openLossSurface({ graph, engine }, network, noiseless, {
    loss: { kind: "output", output: "loss" },
  });
  try {
    const { coefficient, standardError, batchSize } = await learningCoefficient(surface, {
      ...{ step: 1e-3, localization: 0.1, draws: 500, burnIn: 100, chains: 6 },
    });
    expect(batchSize).toBe(100);
    expect(Math.abs(coefficient - SIZE / 2)).toBeLessThan(4 * standardError + 0.1);
    expect(standardError).toBeLessThan(0.2);
  } finally {
    await surface.release();
  }
}, 60_000);

test("a network that was rescaled has the same numbers in canonical form, and others as it is", async () => {
  const graph = smallMlp();
  const network = randomNetwork(graph, 6);
  const { spec, ...symmetries } = await discoverSymmetries({ graph, engine });
  const linear = await discoverLinearSymmetries({ graph, engine }, { spec, ...symmetries });
  const rescaled = transformRandomly(network, spec, linear, { seed: 3, kinds: ["scale"] });
  const measure = (checkpoint: typeof network) =>
    measureCurvature({ graph, engine }, checkpoint, data, {
      ...{ count: 1, traceProducts: 400, runs: 0, canonical: true, sharpness: { steps: 2, samples: 2 } },
      ...{ criticalSharpness: { tolerance: 1e-3 }, learningCoefficient: { draws: 4, burnIn: 0, chains: 2 } },
    });
  const [before, after] = [await measure(network), await measure(rescaled)];
  const largest = (measures: (typeof before)["canonical"]) =>
    measures?.eigenvalues?.largest[0]?.value ?? Number.NaN;
  const ratio = (x: number | undefined, y: number | undefined) =>
    Math.abs((x ?? Number.NaN) / (y ?? Number.NaN) - 1);
  expect(ratio(largest(after.canonical), largest(before.canonical))).toBeLessThan(1e-3);
  expect(ratio(after.canonical?.trace?.trace, before.canonical?.trace?.trace)).toBeLessThan(1e-3);
  expect(ratio(largest(after), largest(before))).toBeGreaterThan(0.01);
  expect(ratio(after.loss, before.loss)).toBeLessThan(1e-5);
  expect(ratio(after.canonical?.loss, before.loss)).toBeLessThan(1e-5);
  const { criticalSharpness, learningCoefficient: coefficient, sharpness } = after.canonical ?? {};
  expect(criticalSharpness?.sharpness).toBeGreaterThan(0);
  expect(coefficient?.chains).toHaveLength(2);
  expect(ratio(sharpness?.adaptive.oneStep, before.sharpness?.adaptive.oneStep)).toBeLessThan(1e-3);
});

test("critical sharpness of a network is at most about the largest eigenvalue, and the curvature along its gradient", async () => {
  const graph = smallMlp();
  const network = randomNetwork(graph, 6);
  const { criticalSharpness, eigenvalues } = await measureCurvature({ graph, engine }, network, data, {
    ...{ count: 1, traceProducts: 0, runs: 0, criticalSharpness: {} },
  });
  const operator = await hessian({ graph, engine }, network, data);
  const { largest } = await topEigenpairs(operator, { count: 1 });
  await operator.release();
  expect(eigenvalues?.largest[0]?.value).toBeCloseTo(largest[0]?.value ?? Number.NaN, 5);
  expect(criticalSharpness?.sharpness).toBeLessThan(1.1 * (largest[0]?.value ?? 0));
  expect(criticalSharpness?.sharpness).toBeGreaterThan(0.02 * (largest[0]?.value ?? 0));
});
