import { gradient, hessianVectorProduct, lowerBatchNorm, productName, vectorName } from "@isthmus/autodiff";
import { convertData, createRandom, DTYPES, type DType, sizeOf, type Tensor } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import type { Graph } from "@isthmus/graph";
import { add, cast, GraphBuilder, mul, reduceSum, sum, type Value } from "@isthmus/graph/builder";
import { gradientName } from "@isthmus/graph/ir";
import { lowerRecurrence } from "../../packages/autodiff/src/lower/lower-recurrence.ts";
import { type DifferenceOptions, differentiate } from "./differentiate.ts";

/**
 * How precisely a function can be differentiated numerically, by what onnxruntime has kernels for:
 * - `double`: function and gradients in f64. Differences of step 4e-3, extrapolated, err by h⁴/480 times the
 *   fifth derivative and by 1e-13 of rounding; where the two steps disagree by 1e-5 (near kinks and poles)
 *   smaller ones are taken.
 * - `mixed`: function in f64, gradients in f32, whose rounding adds up to some 1e-6. For functions that
 *   onnxruntime cannot compute in f64 a reference does it.
 * - `multilinear`: all in f32, for functions linear in every single element (products, convolutions, sums):
 *   any step is exact, so a step of 1 divides the rounding of outputs by nothing.
 * - `single`: all in f32. Step 6e-2 balances truncation (3e-8 times the fifth derivative) with rounding (3
 *   ulp / h, 1e-5).
 */
export type Precision = "double" | "mixed" | "multilinear" | "single";

interface Numerics extends DifferenceOptions {
  readonly values: DType;
  readonly gradients: DType;
  readonly tolerance: number;
}

const NUMERICS: Readonly<Record<Precision, Numerics>> = {
  double: { values: "f64", gradients: "f64", step: 4e-3, agreement: 1e-5, tolerance: 1e-8 },
  mixed: { values: "f64", gradients: "f32", step: 4e-3, agreement: 1e-5, tolerance: 2e-5 },
  multilinear: { values: "f32", gradients: "f32", step: 1, agreement: 0, tolerance: 2e-5 },
  single: { values: "f32", gradients: "f32", step: 6e-2, agreement: 0, tolerance: 5e-4 },
};

/** A function whose derivatives to check. */
export interface GradientCase {
  /**
   * Adds inputs and weights, of element type `dtype` where they are to be differentiated by, and the
   * function, and returns its outputs. Every floating-point output counts, each element with a random factor.
   */
  readonly build: (builder: GraphBuilder, dtype: DType) => Value | readonly Value[];
  /**
   * Computes the outputs in f64 where onnxruntime has no kernel for that; what onnxruntime computes in f32
   * must agree with it to 1e-5. @defaultValue onnxruntime itself
   */
  readonly reference?: (inputs: ReadonlyMap<string, Float64Array>) => readonly Float64Array[];
  /** @defaultValue 21 */
  readonly opset?: number;
  /** @defaultValue "double" */
  readonly precision?: Precision;
  /** Seed of values and factors. @defaultValue 0 */
  readonly seed?: number;
  /**
   * Values of inputs by name, needed for those that are not floating-point. @defaultValue distinct numbers
   * between 0.1 and 2.1 of either sign, so that no kink at 0 and no tie is near
   */
  readonly values?: Readonly<Record<string, readonly number[]>>;
  /** Largest error of a derivative over `1 + ` the largest derivative. @defaultValue that of the precision */
  readonly tolerance?: number;
}

/** Engine that checkers use. */
const engine = createOnnxRuntimeEngine();

/** Runs a graph once as it is written, batch norms in training mode lowered, on one thread. */
export async function runOnce(
  graph: Graph,
  feeds: ReadonlyMap<string, Tensor>,
): Promise<Map<string, Tensor>> {
  const session = await engine.load(lowerBatchNorm(graph), { threads: 1, optimize: false });
  try {
    return await session.run(feeds);
  } finally {
    await session.release();
  }
}

/**
 * Compares `gradient()` with central differences for every element of every floating-point input and weight.
 * @throws Error that lists the derivatives that are wrong
 */
export async function checkGradient(given: GradientCase | GradientCase["build"]): Promise<void> {
  const task = typeof given === "function" ? { build: given } : given;
  const numerics = NUMERICS[task.precision ?? "double"];
  const function_ = buildCase(task, task.reference === undefined ? numerics.values : numerics.gradients);
  const point = pointOf(function_.graph, task);
  if (task.reference !== undefined) await checkReference(function_, point, task.reference);
  const slopes = await openGradients(buildLoss(task, numerics.gradients, false), differentiable(point));
  const differ = await openFunction(function_, task);
  try {
    const analytic = await slopes.evaluate(point);
    for (const [name, tensor] of point) {
      if (!DTYPES[tensor.dtype].float) continue;
      const expected = await differences(differ.evaluate, point, { name, numerics });
      assertClose(`d/d(${name})`, analytic.get(name) ?? [], {
        expected,
        tolerance: task.tolerance ?? numerics.tolerance,
      });
    }
  } finally {
    await slopes.release();
    await differ.release();
  }
}

/**
 * Compares `hessianVectorProduct()` with central differences of `gradient()` along a random direction. The
 * loss is quadratic in the outputs, so that second derivatives are there even where the function is linear.
 * @throws Error that lists the products that are wrong
 */
export async function checkHessian(given: GradientCase | GradientCase["build"]): Promise<void> {
  const task = typeof given === "function" ? { build: given } : given;
  const precision = task.precision ?? "double";
  // Gradients are what is differenced here, so their element type decides.
  const numerics = NUMERICS[precision === "mixed" ? "single" : precision];
  const built = buildLoss(task, numerics.gradients, true);
  const { graph, loss } = built;
  const point = pointOf(graph, task);
  const names = differentiable(point);
  const random = createRandom(task.seed ?? 0, "direction");
  const direction = new Map(
    names.map((name) => [
      name,
      Float64Array.from({ length: point.get(name)?.data.length ?? 0 }, () => random.uniform() * 2 - 1),
    ]),
  );
  const product = hessianVectorProduct(graph, { loss, withRespectTo: names });
  const vectors = names.map((name): [string, Tensor] => [
    vectorName(name),
    floats(direction.get(name) ?? [], point.get(name) as Tensor),
  ]);
  const got = await runOnce(product, convertFeeds(new Map([...point, ...vectors]), product));
  const products = names.flatMap((name) => numbersOf(got.get(productName(loss, name)) as Tensor));
  const slopes = await openGradients(built, names);
  try {
    const along = (t: number) =>
      slopes.evaluate(
        new Map([...point].map(([name, tensor]) => [name, move(tensor, direction.get(name), t)])),
      );
    const at = async (t: number) => [...(await along(t)).values()].flat();
    // Along a direction, and squared, no function is linear.
    const numbers = precision === "multilinear" ? NUMERICS.single : numerics;
    const expected = await differentiate(at, numbers);
    const tolerance = task.tolerance ?? numbers.tolerance;
    assertClose(`Hessian by ${names.join(", ")}`, products, { expected, tolerance });
  } finally {
    await slopes.release();
  }
}

interface BuiltCase {
  readonly graph: Graph;
  readonly outputs: readonly Value[];
}

function buildCase({ build, opset = 21 }: GradientCase, dtype: DType): BuiltCase & { builder: GraphBuilder } {
  const builder = new GraphBuilder("case", opset);
  const results = build(builder, dtype);
  const outputs = (Array.isArray(results) ? (results as Value[]) : [results as Value]).filter(
    (output) => DTYPES[output.dtype].float,
  );
  return { builder, graph: builder.build(outputs), outputs };
}

/** Adds the loss: outputs times random factors, and for second derivatives their squares too. */
function buildLoss(task: GradientCase, dtype: DType, squares: boolean): { graph: Graph; loss: string } {
  const { builder, outputs } = buildCase(task, dtype);
  const parts = outputs.map((output, i) => {
    const factors = builder.numbers(factorsOf(output, task.seed ?? 0, i), output.dtype, output.shape);
    const value = squares ? add(output, mul(mul(output, output), 0.5)) : output;
    return cast(reduceSum(mul(value, factors)), dtype);
  });
  const loss = builder.rename(sum(parts), "loss");
  return { graph: builder.build([loss]), loss: "loss" };
}

function factorsOf({ shape }: Pick<Value, "shape">, seed: number, output: number): Float64Array {
  const random = createRandom(seed, `factors ${output}`);
  return Float64Array.from(
    { length: sizeOf(shape) },
    () => (0.5 + random.uniform()) * (random.uniform() < 0.5 ? -1 : 1),
  );
}

/** Values of all inputs and weights, floating-point ones in f64. */
function pointOf(graph: Graph, { seed = 0, values = {} }: GradientCase): Map<string, Tensor> {
  const infos = [
    ...graph.inputs.map(({ name, dtype = "f32", shape = [] }) => ({ name, dtype, shape: shape.map(Number) })),
    ...[...graph.weights].map(([name, info]) => ({ name, ...info })),
  ];
  return new Map(
    infos.map(({ name, dtype, shape }) => {
      const isFloat = DTYPES[dtype].float;
      const numbers = values[name] ?? spreadNumbers(sizeOf(shape), seed, name);
      const data = convertData(Float64Array.from(numbers), "f64", isFloat ? "f64" : dtype);
      return [name, { dtype: isFloat ? "f64" : dtype, shape, data }];
    }),
  );
}

/** Shuffled numbers of either sign, at least 0.1 from 0 and `2 / count` from each other. */
export function spreadNumbers(count: number, seed: number, label = ""): number[] {
  const random = createRandom(seed, `values ${label}`);
  const ranks = random.shuffleInPlace(Float64Array.from({ length: count }, (_, i) => i));
  return Array.from(ranks, (rank) => {
    const value = ((rank + 0.25 + 0.5 * random.uniform()) / count) * 4 - 2;
    return value + (value < 0 ? -0.1 : 0.1);
  });
}

const differentiable = (point: ReadonlyMap<string, Tensor>): string[] =>
  [...point].filter(([, { dtype }]) => DTYPES[dtype].float).map(([name]) => name);

const numbersOf = ({ data, dtype }: Tensor): number[] =>
  Array.from(convertData(data, dtype, "f64") as Float64Array);

const floats = (numbers: ArrayLike<number>, { shape, dtype }: Tensor): Tensor => ({
  dtype,
  shape,
  data: convertData(Float64Array.from(numbers), "f64", dtype),
});

/** The point in the element types that a graph wants. */
function convertFeeds(point: ReadonlyMap<string, Tensor>, graph: Graph): Map<string, Tensor> {
  const wanted = new Map<string, DType>([
    ...graph.inputs.map(({ name, dtype }): [string, DType] => [name, dtype ?? "f32"]),
    ...[...graph.weights].map(([name, { dtype }]): [string, DType] => [name, dtype]),
  ]);
  return new Map(
    [...point].map(([name, tensor]) => [name, convertOnce(tensor, wanted.get(name) ?? tensor.dtype)]),
  );
}

/** What tensors were converted to last: of those of a point, differences move one at a time. */
const converted = new WeakMap<Tensor, Tensor>();

function convertOnce(tensor: Tensor, dtype: DType): Tensor {
  if (tensor.dtype === dtype) return tensor;
  const last = converted.get(tensor);
  if (last?.dtype === dtype) return last;
  const { data, shape } = tensor;
  const result = { dtype, shape, data: convertData(data, tensor.dtype, dtype) };
  converted.set(tensor, result);
  return result;
}

/** Gradients by some values as a function of the point. */
async function openGradients(
  { graph, loss }: { readonly graph: Graph; readonly loss: string },
  names: readonly string[],
) {
  const differentiated = gradient(graph, { loss, withRespectTo: names });
  const session = await engine.load(lowerBatchNorm(differentiated), { threads: 1, optimize: false });
  const evaluate = async (point: ReadonlyMap<string, Tensor>): Promise<Map<string, number[]>> => {
    const results = await session.run(convertFeeds(point, differentiated));
    return new Map(names.map((name) => [name, numbersOf(results.get(gradientName(loss, name)) as Tensor)]));
  };
  return { evaluate, release: () => session.release() };
}

/** The weighted sum of the outputs as a function of the point, summed in f64 whatever the outputs are. */
async function openFunction({ graph, outputs }: BuiltCase, { seed = 0, reference }: GradientCase) {
  const factors = outputs.map((output, i) => factorsOf(output, seed, i));
  const weigh = (results: readonly (readonly number[] | Float64Array)[]) =>
    factors.reduce(
      (total, line, output) =>
        line.reduce((part, factor, i) => part + factor * (results[output]?.[i] ?? Number.NaN), total),
      0,
    );
  if (reference !== undefined) {
    const evaluate = async (point: ReadonlyMap<string, Tensor>) => weigh(reference(arraysOf(point)));
    return { evaluate, release: async () => {} };
  }
  // Recurrent layers, which onnxruntime has in f32 only, as the steps that they are shown to be elsewhere.
  const lowered = lowerRecurrence(lowerBatchNorm(graph));
  const session = await engine.load(lowered, { threads: 1, optimize: false });
  const evaluate = async (point: ReadonlyMap<string, Tensor>): Promise<number> => {
    const results = await session.run(convertFeeds(point, graph));
    return weigh(outputs.map(({ name }) => numbersOf(results.get(name) as Tensor)));
  };
  return { evaluate, release: () => session.release() };
}

const arraysOf = (point: ReadonlyMap<string, Tensor>): Map<string, Float64Array> =>
  new Map([...point].map(([name, tensor]) => [name, Float64Array.from(numbersOf(tensor))]));

async function checkReference(
  { graph, outputs }: BuiltCase,
  point: ReadonlyMap<string, Tensor>,
  reference: NonNullable<GradientCase["reference"]>,
): Promise<void> {
  const results = await runOnce(graph, convertFeeds(point, graph));
  const expected = reference(arraysOf(point));
  outputs.forEach(({ name }, i) => {
    const got = numbersOf(results.get(name) as Tensor);
    assertClose(name, got, { expected: Array.from(expected[i] ?? []), tolerance: 1e-5 });
  });
}

async function differences(
  evaluate: (point: ReadonlyMap<string, Tensor>) => Promise<number>,
  point: ReadonlyMap<string, Tensor>,
  { name, numerics }: { readonly name: string; readonly numerics: Numerics },
): Promise<number[]> {
  const tensor = point.get(name) as Tensor;
  const results: number[] = [];
  for (let i = 0; i < tensor.data.length; i++) {
    const unit = new Float64Array(tensor.data.length);
    unit[i] = 1;
    const at = async (t: number) => [await evaluate(new Map([...point, [name, move(tensor, unit, t)]]))];
    results.push(...(await differentiate(at, numerics)));
  }
  return results;
}

function move(tensor: Tensor, direction: Float64Array | undefined, distance: number): Tensor {
  if (direction === undefined) return tensor;
  const data = Float64Array.from(
    tensor.data as Float64Array,
    (value, i) => value + distance * (direction[i] ?? 0),
  );
  return { ...tensor, data };
}

function assertClose(
  what: string,
  got: readonly number[],
  { expected, tolerance }: { readonly expected: readonly number[]; readonly tolerance: number },
): void {
  const scale = 1 + Math.max(0, ...expected.map(Math.abs));
  const wrong = expected.flatMap((value, i) =>
    Math.abs(value - (got[i] ?? Number.NaN)) <= tolerance * scale ? [] : [`[${i}] ${got[i]} for ${value}`],
  );
  if (wrong.length === 0 && got.length === expected.length) return;
  throw new Error(
    `${what}: ${wrong.length} of ${expected.length} differ by more than ${tolerance}: ${wrong.slice(0, 8).join(", ")}`,
  );
}
