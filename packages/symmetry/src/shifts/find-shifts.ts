import { at, entry } from "@isthmus/core";
import type { Graph, Node, Probe } from "@isthmus/graph";
import { floatAttribute, intAttribute } from "@isthmus/graph/ir";
import { createShiftGraph, followShift, type ShiftGraph } from "./follow-shift.ts";

/**
 * Logits whose differences alone matter, so that `u . x + b` may be added to all of them, for any vector `u`
 * and number `b`. A router has such logits: the largest are chosen and normalised by softmax.
 */
export interface LogitShift {
  /** Name of a matrix that only these logits read: `u` may be added to each of its slices along an axis. */
  readonly weight: string;
  /** Shape of the weight, of two axes. */
  readonly shape: readonly number[];
  /** Axis of the weight on which the logits lie. */
  readonly axis: number;
  /** Name of a vector that is added to the logits: `b` may be added to all its elements. */
  readonly bias: string | undefined;
  /** Names of the values that are shifted; all other values do not change. */
  readonly values: readonly string[];
}

/**
 * Finds the linear layers behind which only differences of logits matter: the logits are read by nothing but
 * softmax, the choice of the largest, comparisons and differences between them. Logits that the graph returns
 * are not among them.
 */
export function findShifts(graph: Graph, probe: Probe): LogitShift[] {
  const shiftGraph = createShiftGraph(graph, probe);
  const matrices = ownMatrices(shiftGraph);
  return graph.nodes.flatMap((node) => {
    const layer = linearLayer(shiftGraph, matrices, node);
    const values = layer && followShift(shiftGraph, layer.logits);
    return layer === undefined || values === undefined ? [] : [{ ...layer.shift, values }];
  });
}

/** A matrix, or its transpose. */
interface Matrix {
  readonly weight: string;
  readonly isTransposed: boolean;
}

/** Finds the values that are matrices of weights, if nothing else reads the weights. */
function ownMatrices({ graph, readers }: ShiftGraph): ReadonlyMap<string, Matrix> {
  const isOwn = (name: string) => readers.get(name)?.length === 1;
  const matrices = new Map<string, Matrix>();
  for (const [name, { shape }] of graph.weights) {
    if (shape.length === 2 && isOwn(name)) matrices.set(name, { weight: name, isTransposed: false });
  }
  for (const { op, inputs, outputs } of graph.nodes) {
    const [value = ""] = inputs;
    const matrix = matrices.get(value);
    const [result = ""] = outputs;
    if (matrix === undefined || !isOwn(result)) continue;
    if (op === "Identity") matrices.set(result, matrix);
    if (op === "Transpose") matrices.set(result, { ...matrix, isTransposed: !matrix.isTransposed });
  }
  return matrices;
}

interface LinearLayer {
  readonly logits: string;
  readonly shift: Omit<LogitShift, "values">;
}

/** Returns the layer whose product a node computes; undefined if its logits may not be shifted. */
function linearLayer(
  shiftGraph: ShiftGraph,
  matrices: ReadonlyMap<string, Matrix>,
  node: Node,
): LinearLayer | undefined {
  const [left = "", right = "", third] = node.inputs;
  const matrix = matrices.get(right);
  const isGemm = node.op === "Gemm";
  if ((!isGemm && node.op !== "MatMul") || node.domain !== "" || matrix === undefined) return undefined;
  if (matrices.has(left)) return undefined;
  const isTurned = matrix.isTransposed !== (isGemm && intAttribute(node, "transB", 0) === 1);
  const axis = isTurned ? 0 : 1;
  const { shape } = entry(shiftGraph.graph.weights, matrix.weight, "weight");
  const extent = at(shape, axis, "axis");
  if (extent < 2 || (isGemm && floatAttribute(node, "alpha", 1) === 0)) return undefined;
  const logits = at(node.outputs, 0, "output");
  const vector = isGemm ? third : addedTo(shiftGraph, logits);
  const isBias = vector !== undefined && isOwnVector(shiftGraph, vector, extent);
  return { logits, shift: { weight: matrix.weight, shape, axis, bias: isBias ? vector : undefined } };
}

/** Returns the value that is added to a value, if nothing else is done to the latter. */
function addedTo({ readers }: ShiftGraph, value: string): string | undefined {
  const [reader, ...others] = readers.get(value) ?? [];
  if (reader?.op !== "Add" || others.length > 0) return undefined;
  return reader.inputs.find((name) => name !== value);
}

function isOwnVector({ graph, readers }: ShiftGraph, name: string, extent: number): boolean {
  const shape = graph.weights.get(name)?.shape;
  return shape?.length === 1 && shape[0] === extent && readers.get(name)?.length === 1;
}
