import { readFileSync } from "node:fs";
import { at, createCheckpoint, createTensor, type Tensor, UnsupportedError } from "@isthmus/core";
import {
  ekfac,
  estimateTrace,
  type Fisher,
  gaussNewton,
  type KroneckerOperator,
  kfac,
  type LinearOperator,
  measureCurvature,
  type Sharing,
  solve,
} from "@isthmus/curvature";
import { createDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { type DataSet, type Graph, scoreBy } from "@isthmus/graph";
import { add, conv, GraphBuilder, gemm, matMul, reduceMean, reshape, tanh } from "@isthmus/graph/builder";
import { describe, expect, test } from "vitest";
import { doubleExamples } from "../../../test/helpers/double-examples.ts";
import { waves } from "../../../test/helpers/waves.ts";

/** What curvlinops computes, in f64; see tools/golden/kronecker.py. */
const golden: readonly {
  readonly kind: "kfac" | "ekfac";
  readonly network: keyof typeof NETWORKS;
  readonly loss: "cross-entropy" | "mean-squared-error";
  readonly fisher: Fisher;
  readonly sharing: Sharing;
  readonly product: readonly number[];
  readonly inverse: readonly number[];
  readonly trace: number;
  readonly frobeniusNorm: number;
  readonly logDeterminant: number;
  readonly eigenvalues: readonly number[];
}[] = JSON.parse(readFileSync(new URL("golden/kronecker.json", import.meta.url), "utf8"));

const [EXAMPLES, DAMPING, EVERY, BATCH] = [24, 0.1, 7, 4];
const KINDS = { kfac, ekfac };
const engine = createOnnxRuntimeEngine();

/** Onnxruntime has convolutions of f32 alone. */
const typeOf = (network: keyof typeof NETWORKS) => (network === "cnn" ? "f32" : "f64");

/** Networks of PyTorch's modules, with weights of its shapes; of tokens, one layer stored the other way round. */
const NETWORKS = {
  mlp: {
    example: [5],
    shapes: { "a.weight": [4, 5], "a.bias": [4], "b.weight": [3, 4], "b.bias": [3] },
  },
  cnn: {
    example: [2, 5, 5],
    shapes: { "a.weight": [3, 2, 3, 3], "a.bias": [3], "b.weight": [3, 27], "b.bias": [3] },
  },
  tokens: {
    example: [4, 3],
    shapes: { "a.weight": [4, 3], "a.bias": [4], "b.weight": [3, 4], "b.bias": [3] },
  },
} as const satisfies Record<
  string,
  { example: readonly number[]; shapes: Record<string, readonly number[]> }
>;

function graphOf(network: keyof typeof NETWORKS): Graph {
  const { example, shapes } = NETWORKS[network];
  const builder = new GraphBuilder(network, 21);
  const dtype = typeOf(network);
  const x = builder.input("x", { dtype, shape: [BATCH, ...example] });
  const weight = (name: keyof typeof shapes, shape: readonly number[] = shapes[name]) =>
    builder.weight(name, { dtype, shape });
  const hidden = () => {
    if (network === "mlp") return tanh(gemm(x, weight("a.weight"), { transB: true, bias: weight("a.bias") }));
    if (network === "tokens") {
      const mixed = add(matMul(x, weight("a.weight", [3, 4])), weight("a.bias"));
      return reduceMean(tanh(mixed), { axes: [1] });
    }
    const options = { strides: [2, 2], pads: [1, 1, 1, 1] };
    return reshape(tanh(conv(x, weight("a.weight"), { ...options, bias: weight("a.bias") })), [-1, 27]);
  };
  const logits = gemm(hidden(), weight("b.weight"), { transB: true, bias: weight("b.bias") });
  return builder.build([logits], { batchName: "N" });
}

const double = ({ shape, data }: Tensor): Tensor =>
  createTensor("f64", shape, Float64Array.from(data as Float32Array));

/** Turns a matrix `[rows, columns]` round. */
function turned({ shape, data }: Tensor): Tensor {
  const [rows, columns] = [at(shape, 0, "extent"), at(shape, 1, "extent")];
  const elements = Float64Array.from(data as Float64Array, (_, i) =>
    Number(data[(i % rows) * columns + Math.floor(i / rows)]),
  );
  return createTensor("f64", [columns, rows], elements);
}

function problem(network: keyof typeof NETWORKS, loss = "cross-entropy") {
  const { example, shapes } = NETWORKS[network];
  const inputs = waves([EXAMPLES, ...example], 10, 1.5);
  const labels = Int32Array.from({ length: EXAMPLES }, (_, i) => i % 3);
  const numbers = { ...waves([EXAMPLES, 3], 30, 1) };
  const data: DataSet = createDataSet(inputs, loss === "cross-entropy" ? labels : numbers, { name: "waves" });
  const isDouble = typeOf(network) === "f64";
  const weights = new Map(
    Object.entries(shapes).map(([name, shape], k) => {
      const weight = waves(shape, 1 + k, 0.8);
      return [name, isDouble ? double(weight) : weight] as const;
    }),
  );
  if (network === "tokens") weights.set("a.weight", turned(weights.get("a.weight") as Tensor));
  const graph = loss === "cross-entropy" ? graphOf(network) : scoreBy(graphOf(network), "mean-squared-error");
  return {
    architecture: { graph, engine },
    network: createCheckpoint(weights, {}, "waves"),
    data: isDouble ? doubleExamples(data) : data,
  };
}

/** Turns the part of a vector that belongs to the layer of tokens, which PyTorch stores the other way round. */
function reordered(network: keyof typeof NETWORKS, vector: Float64Array, back: boolean): Float64Array {
  if (network !== "tokens") return vector;
  const shape = back ? [3, 4] : [4, 3];
  const first = turned(createTensor("f64", shape, vector.slice(0, 12))).data as Float64Array;
  return Float64Array.from([...first, ...vector.subarray(12)]);
}

async function withOperator<T>(
  opening: Promise<KroneckerOperator>,
  use: (operator: KroneckerOperator) => Promise<T>,
): Promise<T> {
  const operator = await opening;
  try {
    return await use(operator);
  } finally {
    await operator.release();
  }
}

const vectorOf = (size: number) => Float64Array.from(waves([size], 20, 1).data as Float32Array);

async function matrixOf({ dimension, apply }: LinearOperator): Promise<Float64Array[]> {
  const rows: Float64Array[] = [];
  for (let i = 0; i < dimension; i++) {
    const [unit, row] = [new Float64Array(dimension), new Float64Array(dimension)];
    unit[i] = 1;
    await apply(unit, row);
    rows.push(row);
  }
  return rows;
}

describe("of curvlinops", () => {
  for (const expected of golden) {
    const { kind, network, loss, fisher, sharing } = expected;
    test(`${kind} of ${network}, ${loss}, ${fisher}, ${sharing}`, async () => {
      const { architecture, network: weights, data } = problem(network, loss);
      const options = { fisher, sharing, batchSize: 6 };
      await withOperator(KINDS[kind](architecture, weights, data, options), async (operator) => {
        const { dimension, closedForm } = operator;
        const vector = reordered(network, vectorOf(dimension), false);
        const out = new Float64Array(dimension);
        const kept = () => [...reordered(network, out, true)].filter((_, i) => i % EVERY === 0);
        const close = (numbers: readonly number[], others: readonly number[]) => {
          expect(numbers).toHaveLength(others.length);
          const tolerance = typeOf(network) === "f64" ? 1e-8 : 1e-5;
          for (const [i, x] of numbers.entries()) {
            const other = at(others, i, "number");
            expect(Math.abs(x - other)).toBeLessThan(tolerance * Math.max(1, Math.abs(other)));
          }
        };
        await operator.apply(vector, out);
        close(kept(), expected.product);
        const { solution, products } = await solve(operator, vector, { damping: DAMPING });
        expect(products).toBe(0);
        out.set(solution);
        close(kept(), expected.inverse);
        close([closedForm.trace, closedForm.frobeniusNorm], [expected.trace, expected.frobeniusNorm]);
        close([closedForm.logDeterminant(DAMPING)], [expected.logDeterminant]);
        close([...closedForm.eigenvalues().subarray(0, 5)], expected.eigenvalues);
      });
    });
  }
});

/** Computes the sum of squares of the difference of two matrices, between the tensors of one block each. */
const distance = (
  one: readonly Float64Array[],
  other: readonly Float64Array[],
  isBlock: (i: number, j: number) => boolean,
) =>
  one.reduce(
    (sum, row, i) =>
      sum +
      row.reduce((part, x, j) => part + (isBlock(i, j) ? (x - (other[i]?.[j] ?? Number.NaN)) ** 2 : 0), 0),
    0,
  );

describe("laws", () => {
  test("KFAC of one linear layer and one example is the Gauss-Newton matrix", async () => {
    const { architecture, network, data } = problem("mlp");
    const options = { parameters: ["b.weight"], examples: 1 };
    const exact = await gaussNewton(architecture, network, data, options);
    const gaussian = await matrixOf(exact);
    await exact.release();
    for (const opening of [kfac, ekfac]) {
      const rows = await withOperator(opening(architecture, network, data, options), matrixOf);
      expect(distance(rows, gaussian, () => true)).toBeLessThan(1e-20);
    }
  });

  test("blocks of different tensors are 0, and EKFAC is no further from each block than KFAC", async () => {
    for (const name of ["mlp", "tokens"] as const) {
      const { architecture, network, data } = problem(name);
      const exact = await gaussNewton(architecture, network, data);
      const { layout, dimension } = exact;
      const fisher = await matrixOf(exact);
      await exact.release();
      const rough = await withOperator(kfac(architecture, network, data), matrixOf);
      const corrected = await withOperator(ekfac(architecture, network, data), matrixOf);
      const blockOf = Array.from({ length: dimension }, (_, i) =>
        layout.findLastIndex(({ offset }) => offset <= i),
      );
      const zeros = rough.map(() => new Float64Array(dimension));
      for (const matrix of [rough, corrected])
        expect(distance(matrix, zeros, (i, j) => blockOf[i] !== blockOf[j])).toBe(0);
      for (const block of layout.keys()) {
        const inBlock = (i: number, j: number) => blockOf[i] === block && blockOf[j] === block;
        const [further, nearer] = [distance(rough, fisher, inBlock), distance(corrected, fisher, inBlock)];
        expect(nearer).toBeLessThanOrEqual(further + 1e-20);
      }
    }
  });

  test("EKFAC has the trace of the Gauss-Newton matrix", async () => {
    for (const name of ["mlp", "cnn", "tokens"] as const) {
      const { architecture, network, data } = problem(name);
      const exact = await gaussNewton(architecture, network, data);
      const { trace } = await estimateTrace(exact, { products: exact.dimension });
      await exact.release();
      const { closedForm } = await withOperator(ekfac(architecture, network, data), async (own) => own);
      expect(closedForm.trace / trace).toBeCloseTo(1, 5);
    }
  });

  test("the damped inverse undoes the product, whatever the damping", async () => {
    const { architecture, network, data } = problem("tokens");
    for (const opening of [kfac, ekfac]) {
      await withOperator(opening(architecture, network, data), async (operator) => {
        for (const damping of [1e-2, 1, 100]) {
          const vector = vectorOf(operator.dimension);
          const { solution } = await solve(operator, vector, { damping });
          const out = new Float64Array(vector.length);
          await operator.apply(solution, out);
          for (const [i, x] of out.entries()) {
            expect(x + damping * at(solution, i, "element")).toBeCloseTo(at(vector, i, "element"), 9);
          }
        }
      });
    }
  });

  test("random sums come near the exact sum as their number grows, the same for the same seed", async () => {
    const { architecture, network, data } = problem("mlp");
    const matrix = (options: object) => withOperator(kfac(architecture, network, data, options), matrixOf);
    const exact = await matrix({});
    const few = await matrix({ fisher: "mc", labelSamples: 2 });
    const many = await matrix({ fisher: "mc", labelSamples: 200 });
    expect(distance(many, exact, () => true)).toBeLessThan(0.1 * distance(few, exact, () => true));
    expect(await matrix({ fisher: "mc", labelSamples: 2 })).toEqual(few);
    expect(await matrix({ fisher: "mc", labelSamples: 2, seed: 1 })).not.toEqual(few);
  });
});

test("measureCurvature() reads eigenvalues and trace off the closed form, with norm and determinant", async () => {
  const { architecture, network, data } = problem("mlp");
  const options = { operator: "ekfac", count: 2, damping: 0.1, runs: 1, densitySteps: 5 } as const;
  const { eigenvalues, trace, closedForm, density } = await measureCurvature(
    architecture,
    network,
    data,
    options,
  );
  const expected = golden.find(({ kind, network: name }) => kind === "ekfac" && name === "mlp");
  expect(eigenvalues?.products).toBe(0);
  expect(eigenvalues?.largest.map(({ value }) => value.toFixed(7))).toEqual(
    expected?.eigenvalues.slice(0, 2).map((value) => value.toFixed(7)),
  );
  expect(trace).toMatchObject({ standardError: 0, products: 0 });
  expect(closedForm?.logDeterminant).toBeCloseTo(expected?.logDeterminant ?? Number.NaN, 8);
  expect(density?.runs).toBe(1);
});

test("refuses parameters of other operators, by name", async () => {
  const { architecture, network, data } = problem("mlp");
  const { graph } = architecture;
  const tied = { ...graph, nodes: graph.nodes.filter(({ op }) => op !== "Gemm") };
  expect(tied.nodes).not.toEqual(graph.nodes);
  await expect(kfac({ ...architecture, graph: tied }, network, data)).rejects.toThrow(UnsupportedError);
  await expect(kfac(architecture, network, data, { fisher: "some" as "mc" })).rejects.toThrow(
    /"fisher" must be one of/,
  );
});
