import {
  allocateData,
  at,
  entry,
  fromFloat64Into,
  matchesAny,
  OutOfRangeError,
  sizeOf,
  type Tensor,
  toFloat64,
} from "@isthmus/core";
import { type Graph, parameterNames } from "@isthmus/graph";
import type { OperatorTensor } from "../linear-operator.ts";
import { addMultipleInPlace } from "../vectors.ts";

/** Tensors of a vector, and the number of their elements in all. */
export interface VectorLayout {
  /** Number of elements of all tensors together. */
  readonly dimension: number;
  /** Tensors that a vector consists of, one after another. */
  readonly layout: readonly OperatorTensor[];
}

/**
 * Lays out the floating-point parameters of a graph in a vector, in the order of the graph.
 * @param patterns - names, in which `*` matches any characters; undefined for all parameters
 * @throws OutOfRangeError if no parameter matches
 */
export function layoutParameters(
  attempt: string,
  graph: Graph,
  patterns: readonly string[] | undefined,
): VectorLayout {
  const all = parameterNames(graph);
  const names = patterns === undefined ? all : all.filter((name) => matchesAny(patterns, name));
  if (names.length === 0) {
    throw new OutOfRangeError(
      `Cannot ${attempt} as "parameters" must match a parameter of graph "${graph.name}": ${patterns?.join(", ")} matches none of ${all.join(", ")}`,
    );
  }
  const layout: OperatorTensor[] = [];
  let dimension = 0;
  for (const name of names) {
    const { shape } = entry(graph.weights, name, "weight");
    layout.push({ name, shape, offset: dimension });
    dimension += sizeOf(shape);
  }
  return { dimension, layout };
}

/** Cuts a vector into tensors, with the element types of the tensors of the same names in `like`. */
export function splitVector(
  layout: readonly OperatorTensor[],
  vector: Float64Array,
  like: ReadonlyMap<string, Tensor>,
): Map<string, Tensor> {
  const tensors = new Map(
    layout.map(({ name, shape }): [string, Tensor] => {
      const { dtype } = entry(like, name, "weight");
      return [name, { dtype, shape, data: allocateData(dtype, sizeOf(shape)) }];
    }),
  );
  splitVectorInto(layout, vector, tensors);
  return tensors;
}

/** Cuts a vector into tensors of the layout's names, which are overwritten. */
export function splitVectorInto(
  layout: readonly OperatorTensor[],
  vector: Float64Array,
  tensors: ReadonlyMap<string, Tensor>,
): void {
  for (const { name, offset } of layout) {
    const { data, dtype } = entry(tensors, name, "part of the vector");
    fromFloat64Into(vector.subarray(offset, offset + data.length), dtype, data);
  }
}

/** A multiple of tensors that is added to a vector. */
export interface TensorSummand {
  /** Number by which all elements are multiplied. */
  readonly factor: number;
  /** Tensors, in the order of the layout. */
  readonly tensors: readonly Tensor[];
}

/** Number of summands that are added in one pass over the vector, which costs as much as reading one. */
export const SUMMANDS_AT_ONCE = 4;

/** Adds multiples of the tensors of a layout to a vector in place, one summand after another. */
export function addTensorsInPlace(
  vector: Float64Array,
  layout: readonly OperatorTensor[],
  summands: readonly TensorSummand[],
): void {
  for (const [i, { shape, offset }] of layout.entries()) {
    const target = vector.subarray(offset, offset + sizeOf(shape));
    const parts = summands.map(({ factor, tensors }) => ({ factor, ...at(tensors, i, "tensor") }));
    const singles = parts.flatMap(({ factor, data, dtype }) =>
      dtype === "f32" && data instanceof Float32Array ? [{ factor, data }] : [],
    );
    if (singles.length === parts.length) addSinglesInPlace(target, singles);
    else {
      for (const { factor, data, dtype } of parts) addMultipleInPlace(target, factor, toFloat64(data, dtype));
    }
  }
}

/** Multiples of f32 numbers. */
type Singles = readonly { readonly factor: number; readonly data: Float32Array }[];

/** Adds multiples of f32 numbers, as a copy of them in f64 would cost more than the sum. */
function addSinglesInPlace(target: Float64Array, singles: Singles): void {
  for (let first = 0; first < singles.length; first += SUMMANDS_AT_ONCE) {
    const taken = singles.slice(first, first + SUMMANDS_AT_ONCE);
    const [{ factor, data }] = taken as [Singles[number]];
    if (taken.length === 1) addOneInPlace(target, factor, data);
    else addFourInPlace(target, [...taken, ...Array<Singles[number]>(3).fill({ factor: 0, data })]);
  }
}

/** Adds a multiple of f32 numbers: a loop that sees one class of arrays is several times faster. */
function addOneInPlace(target: Float64Array, factor: number, x: Float32Array): void {
  for (let i = 0; i < target.length; i++) target[i] = (target[i] as number) + factor * (x[i] as number);
}

/** Adds the first four multiples in their order. */
function addFourInPlace(target: Float64Array, singles: Singles): void {
  const [a, b, c, d] = singles as [Singles[number], Singles[number], Singles[number], Singles[number]];
  const [{ data: x }, { data: y }, { data: z }, { data: w }] = [a, b, c, d];
  const [ofX, ofY, ofZ, ofW] = [a.factor, b.factor, c.factor, d.factor];
  for (let i = 0; i < target.length; i++) {
    const two = (target[i] as number) + ofX * (x[i] as number) + ofY * (y[i] as number);
    target[i] = two + ofZ * (z[i] as number) + ofW * (w[i] as number);
  }
}
