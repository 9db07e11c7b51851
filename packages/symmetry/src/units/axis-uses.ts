import { at } from "@isthmus/core";
import type { Graph, Node } from "@isthmus/graph";
import { intAttribute, intsAttribute } from "@isthmus/graph/ir";

/** The ways in which nodes use the axes of one weight. */
export interface AxisUse {
  /** Axes that some node sums over: the inputs of a layer. */
  readonly contracted: ReadonlySet<number>;
  /** Axes that some node keeps: the outputs of a layer, or the units of a bias. */
  readonly kept: ReadonlySet<number>;
  /** Position in the graph of the first node that sums over one of these axes; infinite if none does. */
  readonly contractedBy: number;
}

/** Axis of a weight behind each axis of a value that was made from it by moving axes. */
interface Moved {
  readonly weight: string;
  readonly axes: readonly number[];
}

/**
 * Finds which axes of weights are summed over, by following weights through transposes to the products,
 * convolutions and recurrent layers that read them.
 */
export function findAxisUses(graph: Graph): ReadonlyMap<string, AxisUse> {
  const uses = new Map<string, { contracted: Set<number>; kept: Set<number>; contractedBy: number }>();
  const moved = new Map<string, Moved>();
  for (const [name, { shape }] of graph.weights) {
    moved.set(name, { weight: name, axes: [...shape.keys()] });
    uses.set(name, { contracted: new Set(), kept: new Set(), contractedBy: Number.POSITIVE_INFINITY });
  }
  for (const [position, node] of graph.nodes.entries()) {
    const passed = passOn(node, moved);
    if (passed !== undefined) {
      moved.set(at(node.outputs, 0, "output"), passed);
      continue;
    }
    node.inputs.forEach((input, i) => {
      const origin = moved.get(input);
      const use = origin && uses.get(origin.weight);
      if (origin === undefined || use === undefined) return;
      const axis = contractedAxis(node, i, origin.axes.length);
      if (axis >= 0) use.contractedBy = Math.min(use.contractedBy, position);
      origin.axes.forEach((own, place) => {
        if (own >= 0) (place === axis ? use.contracted : use.kept).add(own);
      });
    });
  }
  return uses;
}

/**
 * Returns the axes of a node's result, if the node only moves axes of a weight; undefined for other nodes.
 */
function passOn(node: Node, moved: ReadonlyMap<string, Moved>): Moved | undefined {
  const [input] = node.inputs;
  const origin = input === undefined ? undefined : moved.get(input);
  if (origin === undefined || node.domain !== "") return undefined;
  if (node.op === "Identity" || node.op === "Cast") return origin;
  if (node.op !== "Transpose") return undefined;
  const reversed = [...origin.axes.keys()].reverse();
  const order = intsAttribute(node, "perm") ?? reversed;
  return { weight: origin.weight, axes: order.map((axis) => at(origin.axes, axis, "axis")) };
}

/** Rules for the axis of an input that a node sums over, by operator; -1 for none. */
const CONTRACTED: Readonly<Record<string, (node: Node, input: number, rank: number) => number>> = {
  MatMul: (_, input, rank) => (input === 0 ? rank - 1 : Math.max(0, rank - 2)),
  Gemm(node, input) {
    if (input === 0) return intAttribute(node, "transA", 0) === 1 ? 0 : 1;
    if (input === 1) return intAttribute(node, "transB", 0) === 1 ? 1 : 0;
    return -1;
  },
  Conv: (_, input) => (input === 1 ? 1 : -1),
  ConvTranspose: (_, input) => (input === 1 ? 0 : -1),
  LSTM: recurrentAxis,
  GRU: recurrentAxis,
  RNN: recurrentAxis,
};

/** Weights of inputs and of states, `[directions, gates, inputs]`. */
function recurrentAxis(_: Node, input: number): number {
  return input === 1 || input === 2 ? 2 : -1;
}

function contractedAxis(node: Node, input: number, rank: number): number {
  return CONTRACTED[node.op]?.(node, input, rank) ?? -1;
}
