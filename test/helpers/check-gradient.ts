import { convertData, createRandom, DTYPES, type DType, sizeOf, type Tensor } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import {
  type Graph,
  gradient,
  gradientName,
  hessianVectorProduct,
  productName,
  vectorName,
} from "@isthmus/graph";
import { add, cast, GraphBuilder, mul, reduceSum, sum, type Value } from "@isthmus/graph/build";

/**
 * How precisely a function can be differentiated numerically, by what onnxruntime has kernels for:
 * - `double`: function and gradients in f64. Differences of step 4e-3, Richardson-extrapolated, err by h⁴/480 times the fifth
 *   derivative and by 1e-13 of rounding: 1e-8 holds for fifth derivatives up to 1e4.
 * - `mixed`: function in f64, gradients in f32, whose rounding adds up to some 1e-6.
 * - `multilinear`: all in f32, for functions linear in every single element (products, convolutions, sums): any step is
 *   exact, so a step of 1 divides the rounding of outputs by nothing.
 * - `single`: all in f32. Step 6e-2 balances truncation (3e-8 times the fifth derivative) with rounding (3 ulp / h, 1e-5).
 */
export type Precision = "double" | "mixed" | "multilinear" | "single";

interface Numerics {
  readonly values: DType;
  readonly gradients: DType;
  readonly step: number;
  readonly tolerance: number;
}

const NUMERICS: Readonly<Record<Precision, Numerics>> = {
  double: { values: "f64", gradients: "f64", step: 4e-3, tolerance: 1e-8 },
  mixed: { values: "f64", gradients: "f32", step: 4e-3, tolerance: 2e-5 },
  multilinear: { values: "f32", gradients: "f32", step: 1, tolerance: 2e-5 },
  single: { values: "f32", gradients: "f32", step: 6e-2, tolerance: 5e-4 },
};

/** A function whose derivatives to check. */
export interface GradientCase {
  /**
   * Adds inputs and weights, of element type `dtype` where they are to be differentiated by, and the function, and returns its
   * outputs. Every floating-point output counts, each element with a random factor.
   */
  readonly build: (builder: GraphBuilder, dtype: DType) => Value | readonly Value[];
  /** @defaultValue 21 */
  readonly opset?: number;
  /** @defaultValue "double" */
  readonly precision?: Precision;
  /** Seed of values and factors. @defaultValue 0 */
  readonly seed?: number;
  /**
   * Values of inputs by name, needed for those that are not floating-point. @defaultValue distinct numbers between 0.1 and 2.1
   * of either sign, so that no kink at 0 and no tie is near
   */
  readonly values?: Readonly<Record<string, readonly number[]>>;
  /** Largest error of a derivative over `1 + ` the largest derivative. @defaultValue that of the precision */
  readonly tolerance?: number;
}

/** Engine that checkers use. */
const engine = createOnnxRuntimeEngine();

/** Runs a graph once as it is written, on one thread. */
export async function runOnce(
  graph: Graph,
  feeds: ReadonlyMap<string, Tensor>,
): Promise<Map<string, Tensor>> {
  const session = await engine.load(graph, { threads: 1, optimize: false });
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
  const function_ = buildCase(task, numerics.values);
  const point = pointOf(function_.graph, task);
  const analytic = await gradientsAt(buildLoss(task, numerics.gradients, false), point);
  const differ = await openFunction(function_, task.seed ?? 0);
  try {
    for (const [name, tensor] of point) {
      if (!DTYPES[tensor.dtype].float) continue;
      const expected = await differences(differ.evaluate, point, { name, step: numerics.step });
      assertClose(`d/d(${name})`, analytic.get(name) ?? [], {
        expected,
        tolerance: task.tolerance ?? numerics.tolerance,
      });
    }
  } finally {
    await differ.release();
  }
}

/**
 * Compares `hessianVectorProduct()` with central differences of `gradient()` along a random direction. The loss is quadratic
 * in the outputs, so that second derivatives are there even where the function is linear.
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
  const at = (t: number) =>
    gradientsAt(
      built,
      new Map([...point].map(([name, tensor]) => [name, move(tensor, direction.get(name), t)])),
    );
  const step = precision === "multilinear" ? 0.1 : numerics.step;
  const [a, b, c, d] = [await at(step), await at(-step), await at(step / 2), await at(-step / 2)];
  for (const name of names) {
    const part = (results: Map<string, number[]>) => results.get(name) ?? [];
    const expected = part(a).map((_, i) =>
      richardson(step, [part(a)[i] ?? 0, part(b)[i] ?? 0, part(c)[i] ?? 0, part(d)[i] ?? 0]),
    );
    assertClose(`Hessian of ${name}`, numbersOf(got.get(productName(loss, name)) as Tensor), {
      expected,
      tolerance: task.tolerance ?? (precision === "multilinear" ? 5e-4 : numerics.tolerance),
    });
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
    [...point].map(([name, { data, dtype, shape }]) => {
      const target = wanted.get(name) ?? dtype;
      return [name, { dtype: target, shape, data: convertData(data, dtype, target) }];
    }),
  );
}

async function gradientsAt(
  { graph, loss }: { readonly graph: Graph; readonly loss: string },
  point: ReadonlyMap<string, Tensor>,
): Promise<Map<string, number[]>> {
  const names = differentiable(point);
  const differentiated = gradient(graph, { loss, withRespectTo: names });
  const results = await runOnce(differentiated, convertFeeds(point, graph));
  return new Map(names.map((name) => [name, numbersOf(results.get(gradientName(loss, name)) as Tensor)]));
}

/** The weighted sum of the outputs as a function of the point, summed in f64 whatever the outputs are. */
async function openFunction({ graph, outputs }: BuiltCase, seed: number) {
  const session = await engine.load(graph, { threads: 1, optimize: false });
  const factors = outputs.map((output, i) => factorsOf(output, seed, i));
  const evaluate = async (point: ReadonlyMap<string, Tensor>): Promise<number> => {
    const results = await session.run(convertFeeds(point, graph));
    return outputs.reduce((total, { name }, output) => {
      const numbers = numbersOf(results.get(name) as Tensor);
      return total + numbers.reduce((part, number, i) => part + number * (factors[output]?.[i] ?? 0), 0);
    }, 0);
  };
  return { evaluate, release: () => session.release() };
}

async function differences(
  evaluate: (point: ReadonlyMap<string, Tensor>) => Promise<number>,
  point: ReadonlyMap<string, Tensor>,
  { name, step }: { readonly name: string; readonly step: number },
): Promise<number[]> {
  const tensor = point.get(name) as Tensor;
  const data = tensor.data as Float64Array;
  const results: number[] = [];
  for (let i = 0; i < data.length; i++) {
    const at = (offset: number) => {
      const moved = Float64Array.from(data);
      moved[i] = (data[i] ?? 0) + offset;
      return evaluate(new Map([...point, [name, { ...tensor, data: moved }]]));
    };
    const values = [await at(step), await at(-step), await at(step / 2), await at(-step / 2)] as const;
    results.push(richardson(step, values));
  }
  return results;
}

/** Fourth-order derivative from values at `+h, -h, +h/2, -h/2`. */
function richardson(step: number, [a, b, c, d]: readonly [number, number, number, number]): number {
  return (4 * ((c - d) / step) - (a - b) / (2 * step)) / 3;
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
