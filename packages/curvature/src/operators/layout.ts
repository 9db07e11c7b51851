import {
  convertData,
  entry,
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
  return new Map(
    layout.map(({ name, shape, offset }) => {
      const { dtype } = entry(like, name, "weight");
      const part = vector.subarray(offset, offset + sizeOf(shape));
      return [name, { dtype, shape, data: convertData(part, "f64", dtype) }];
    }),
  );
}

/** Adds a multiple of tensors to a vector in place. */
export function addTensorsInPlace(
  vector: Float64Array,
  factor: number,
  tensors: readonly (readonly [OperatorTensor, Tensor])[],
): void {
  for (const [{ offset }, { data, dtype }] of tensors) {
    const target = vector.subarray(offset, offset + data.length);
    // A copy in f64 would cost more than the sum.
    if (data instanceof Float32Array && dtype === "f32") addSinglesInPlace(target, factor, data);
    else addMultipleInPlace(target, factor, toFloat64(data, dtype));
  }
}

/** Adds a multiple of f32 numbers: a loop that sees one class of arrays is several times faster. */
function addSinglesInPlace(target: Float64Array, factor: number, x: Float32Array): void {
  for (let i = 0; i < x.length; i++) target[i] = (target[i] as number) + factor * (x[i] as number);
}
