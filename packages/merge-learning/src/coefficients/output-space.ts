import { at, type Checkpoint, toFloat64, UnsupportedError } from "@isthmus/core";
import type { Architecture, DataSet } from "@isthmus/graph";
import { createMatrix, createProducts, type MatrixProducts } from "@isthmus/linear-algebra";
import { measureGrams } from "@isthmus/statistics";
import type { Direction } from "./open-directions.ts";
import type { Quadratic } from "./solve-quadratic.ts";

/** A data set, and the network whose outputs on it are to be kept. */
export interface OutputTask {
  /** Graph under whose names the network is, and its engine. */
  readonly architecture: Architecture;
  /** The expert, under the graph's names. */
  readonly expert: Checkpoint;
  /** Names in the merge of the tensors that the graph reads, by the graph's names. */
  readonly stored: ReadonlyMap<string, string>;
  /** Examples of the expert. */
  readonly data: DataSet;
}

/** Squared distance between the outputs of layers and the experts' outputs, as a function of weights. */
export interface OutputDistance extends Quadratic {
  /** Mean squared length of the experts' own changes of the outputs: the distance at weights of 0. */
  readonly constant: number;
}

/**
 * Measures how far the outputs of each linear layer are from the outputs in each expert on its data, as a
 * quadratic function of the factors `x` of the directions: `sum over tasks of ||X (W(x) - W_k)^T||^2`, with
 * the inputs X of the layer in the expert, by their Gram matrices. Each data set counts by the mean over its
 * examples.
 *
 * @see arXiv 2605.29101 (2026), which finds weights of merges by a projection in the space of outputs
 * @returns the function by the name of the tensor in the merge
 * @throws UnsupportedError if no linear layer of the graphs is merged
 */
export async function measureOutputDistances(
  directions: ReadonlyMap<string, Direction>,
  tasks: readonly OutputTask[],
  { follow, signal }: { readonly follow: (done: number) => void; readonly signal: AbortSignal | undefined },
): Promise<ReadonlyMap<string, OutputDistance>> {
  const distances = new Map<string, OutputDistance>();
  for (const [place, { architecture, expert, stored, data }] of tasks.entries()) {
    signal?.throwIfAborted();
    const { grams, inputsFirst } = await measureGrams(architecture, expert, data, {
      inputsFirst: true,
      signal,
    });
    const products = createProducts(architecture.engine);
    try {
      for (const name of grams.tensors.keys()) {
        const target = stored.get(name);
        const direction = target === undefined ? undefined : directions.get(target);
        if (target === undefined || direction === undefined) continue;
        const gram = (await grams.read(name)).data as Float64Array;
        const weight = await expert.read(name);
        const numbers = toFloat64(weight.data, weight.dtype);
        const part = await measureOne(
          direction,
          { own: numbers, gram, examples: data.size, isFirst: inputsFirst.includes(name) },
          products,
        );
        const earlier = distances.get(target);
        distances.set(target, earlier === undefined ? part : addDistances([earlier, part]));
      }
    } finally {
      await products.release();
    }
    follow((place + 1) / tasks.length);
  }
  if (distances.size > 0) return distances;
  throw new UnsupportedError(
    "Cannot learn weights by the outputs of linear layers as the merge must have such layers, with a matrix of weights: it has none; choose another objective",
    { feature: "linear layers" },
  );
}

/** Adds the distances of several tensors, or of several tasks. */
export function addDistances(parts: readonly OutputDistance[]): OutputDistance {
  const first = at(parts, 0, "distance");
  const matrix = first.matrix.slice();
  const linear = first.linear.slice();
  let { constant } = first;
  for (const part of parts.slice(1)) {
    for (let i = 0; i < matrix.length; i++) matrix[i] = at(matrix, i) + at(part.matrix, i);
    for (let i = 0; i < linear.length; i++) linear[i] = at(linear, i) + at(part.linear, i);
    constant += part.constant;
  }
  return { matrix, linear, constant };
}

/** Returns the value of a distance at factors. */
export function distanceAt({ matrix, linear, constant }: OutputDistance, x: Float64Array): number {
  const n = x.length;
  let value = constant;
  for (let i = 0; i < n; i++) {
    value -= 2 * at(linear, i) * at(x, i);
    for (let j = 0; j < n; j++) value += at(matrix, i * n + j) * at(x, i) * at(x, j);
  }
  return value;
}

/** A linear layer of an expert, and its inputs. */
interface MeasuredLayer {
  /** Weight of the expert. */
  readonly own: Float64Array;
  /** Gram matrix of the inputs, `[inputs, inputs]`. */
  readonly gram: Float64Array;
  /** Number of examples that the matrix was measured on. */
  readonly examples: number;
  /** Whether the weight is `[inputs, outputs]` instead of `[outputs, inputs]`. */
  readonly isFirst: boolean;
}

async function measureOne(
  { origin, changes }: Direction,
  { own, gram, examples, isFirst }: MeasuredLayer,
  products: MatrixProducts,
): Promise<OutputDistance> {
  const inputs = Math.round(Math.sqrt(gram.length));
  const outputs = own.length / inputs;
  const change = own.map((value, i) => value - (origin[i] as number));
  const squares = createMatrix(inputs, inputs, gram);
  const vectors = [...changes.map((values) => Float64Array.from(values)), change];
  const rows: number[][] = [];
  for (const vector of vectors) {
    const { data } = isFirst
      ? await products.multiply(squares, createMatrix(inputs, outputs, vector))
      : await products.multiply(createMatrix(outputs, inputs, vector), squares);
    rows.push(vectors.map((other) => innerProduct(data, other) / examples));
  }
  const n = changes.length;
  const value = (i: number, j: number) => at(at(rows, i), j);
  return {
    matrix: Float64Array.from({ length: n * n }, (_, i) => {
      const [r, c] = [Math.floor(i / n), i % n];
      return (value(r, c) + value(c, r)) / 2;
    }),
    linear: Float64Array.from({ length: n }, (_, i) => value(n, i)),
    constant: value(n, n),
  };
}

function innerProduct(a: ArrayLike<number>, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < b.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}
