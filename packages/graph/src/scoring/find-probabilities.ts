import { DTYPES, type TensorInfo } from "@isthmus/core";
import { intAttribute, intsAttribute, wrapAxis } from "../ir/attributes.ts";
import type { Graph, Node, ValueInfo } from "../ir/graph.ts";
import { inputName } from "../ir/input-name.ts";
import { dtypeOfCode } from "../onnx/tensor-proto.ts";
import { followAxis, isMove } from "./follow-axis.ts";
import { constantOf, type Producers, producersOf } from "./producers.ts";

/** Probabilities that a graph computes last, and their source. */
export interface Probabilities {
  /**
   * Operator that computes the probabilities or their logarithms: over all classes together, or for each
   * class separately.
   */
  readonly operator: "Softmax" | "LogSoftmax" | "Sigmoid";
  /** Name of the value from which they are computed. */
  readonly input: string;
  /** Nodes after the operator that change the shape, in the order of the graph. */
  readonly moves: readonly Node[];
  /**
   * Whether the probabilities of an example, position or pixel, along the axis of the classes of the output,
   * sum to 1; undefined if this depends on unknown shapes.
   */
  readonly overClasses: boolean | undefined;
}

/** Types of values by name, as far as they are known. */
type Types = ReadonlyMap<string, TensorInfo> | undefined;

/**
 * Finds the softmax or the sigmoid that computes an output, before nodes that change its shape or its element
 * type. A softmax may also be written as a division of exponentials by their sum.
 * @param types - type of every value, by which reshaped axes are followed
 * @param classAxis - axis of the output that holds the classes, -1 for the last
 * @returns undefined if the output is computed in another way, as logits are
 */
export function findProbabilities(
  graph: Graph,
  output: ValueInfo,
  { types = graph.types, classAxis = -1 }: { readonly types?: Types; readonly classAxis?: number } = {},
): Probabilities | undefined {
  const producers = producersOf(graph);
  const moves: Node[] = [];
  let value = output.name;
  for (let node = producers.get(value); node?.outputs[0] === value; node = producers.get(value)) {
    const made = madeBy(node, graph, producers);
    if (made !== undefined) {
      const rank = types?.get(value)?.shape.length ?? (moves.length === 0 ? output.shape?.length : undefined);
      const overClasses = areClasses(made.axes(rank), { value, moves, rank, types, classAxis });
      return { operator: made.operator, input: made.input, moves, overClasses };
    }
    if (isMove(node)) moves.unshift(node);
    else if (!keepsNumbers(node)) return undefined;
    value = inputName(node, 0);
  }
  return undefined;
}

/** Checks whether a node returns its input unchanged, except for the element type. */
function keepsNumbers(node: Node): boolean {
  if (node.domain !== "") return false;
  if (node.op === "Identity" || node.op === "Dropout") return true;
  const dtype = node.op === "Cast" ? dtypeOfCode(intAttribute(node, "to", 0)) : undefined;
  return dtype !== undefined && DTYPES[dtype].float;
}

/** Probabilities that one operator computes. */
interface Made extends Pick<Probabilities, "operator" | "input"> {
  /**
   * Returns the axes of a value with a given rank over which probabilities sum to 1; undefined if the rank
   * must be known.
   */
  axes(rank: number | undefined): readonly number[] | undefined;
}

/** Describes the probabilities that a node computes; undefined if it computes none. */
function madeBy(node: Node, graph: Graph, producers: Producers): Made | undefined {
  const [input = ""] = node.inputs;
  if (node.domain !== "") return undefined;
  if (node.op === "Sigmoid") return { operator: "Sigmoid", input, axes: () => [-1] };
  if (node.op === "Softmax" || node.op === "LogSoftmax") {
    const isJoint = (graph.opsets.get("") ?? 1) < 13;
    const axis = intAttribute(node, "axis", isJoint ? 1 : -1);
    const from = (rank: number) => wrapAxis(axis, rank);
    const joint = (rank: number) => Array.from({ length: rank - from(rank) }, (_, i) => from(rank) + i);
    return {
      operator: node.op,
      input,
      axes(rank) {
        if (axis === -1) return [-1];
        if (rank === undefined) return undefined;
        return isJoint ? joint(rank) : [axis];
      },
    };
  }
  return node.op === "Div" ? madeByDivision(node, graph, producers) : undefined;
}

/** Finds a softmax that is written as `Exp(x) / ReduceSum(Exp(x))`. */
function madeByDivision({ inputs }: Node, graph: Graph, producers: Producers): Made | undefined {
  const [exponentials = "", total = ""] = inputs;
  const [exp, sum] = [producers.get(exponentials), producers.get(total)];
  if (exp?.op !== "Exp" || sum?.op !== "ReduceSum" || sum.inputs[0] !== exponentials) return undefined;
  const axes = intsAttribute(sum, "axes") ?? numbersOf(inputName(sum, 1), graph, producers);
  if (axes === undefined || intAttribute(sum, "keepdims", 1) === 0) return undefined;
  return { operator: "Softmax", input: inputName(exp, 0), axes: () => axes };
}

/** Returns the numbers of a constant, which may be a node; undefined if the value is computed. */
function numbersOf(name: string, graph: Graph, producers: Producers): number[] | undefined {
  const tensor = constantOf(name, graph, producers);
  return tensor && Array.from(tensor.data as ArrayLike<number | bigint>, Number);
}

/** Axes over which probabilities sum to 1. */
interface Place {
  /** Value that the operator computes, and the nodes after it. */
  readonly value: string;
  readonly moves: readonly Node[];
  /** Rank of the value; undefined if it is unknown. */
  readonly rank: number | undefined;
  readonly types: Types;
  /** Axis of the output that holds the classes, -1 for the last. */
  readonly classAxis: number;
}

/** Checks whether some axes of a value are the classes of the output; undefined if this is unknown. */
function areClasses(
  axes: readonly number[] | undefined,
  { value, moves, rank, types, classAxis }: Place,
): boolean | undefined {
  const [axis, ...others] = axes ?? [];
  if (axis === undefined) return undefined;
  if (others.length > 0) return false;
  if (moves.length > 0) {
    const followed = types && followAxis(axis, { value, moves }, types);
    return followed && followed.axis === wrapAxis(classAxis, followed.rank);
  }
  if (axis === classAxis) return true;
  return rank === undefined ? undefined : wrapAxis(axis, rank) === wrapAxis(classAxis, rank);
}
