import { toFloat64 } from "@isthmus/core";
import type { Graph, Node, Probe } from "@isthmus/graph";
import { countReadings } from "../value-index.ts";
import type { FactorRule } from "./rule.ts";

/**
 * A weight to which a graph adds a number before anything else reads it, such as the norms of Gemma, which
 * add 1.
 */
export interface OffsetWeight {
  /** Node that adds, or subtracts, the number. */
  readonly node: Node;
  /** Name of the weight. */
  readonly weight: string;
  /** Name of the value that the node computes. */
  readonly sum: string;
  /** Value of the weight at which the sum is 0: -1 if 1 is added. */
  readonly origin: number;
}

/**
 * Finds the weights that are read only as their sum with a number. A factor of such a sum multiplies the
 * distance of the weight from its origin.
 */
export function findOffsetWeights(graph: Graph, probe: Probe): OffsetWeight[] {
  const { nodes, weights, constants } = graph;
  const readings = countReadings(graph);
  const numberOf = (name: string): number | undefined => {
    const constant = constants.get(name) ?? probe.constants.get(name);
    if (constant === undefined) return undefined;
    const [first, ...others] = toFloat64(constant.data, constant.dtype);
    return others.every((value) => value === first) ? first : undefined;
  };
  return nodes.flatMap((node): OffsetWeight[] => {
    const { op, domain, inputs, outputs } = node;
    const [left = "", right = ""] = inputs;
    const [sum = ""] = outputs;
    if ((op !== "Add" && op !== "Sub") || domain !== "") return [];
    const [weight, other] = weights.has(left) ? [left, right] : [right, left];
    const extents = weights.get(weight)?.shape.join();
    if (extents === undefined || weights.has(other) || readings.get(weight) !== 1) return [];
    const number = numberOf(other);
    if (number === undefined || probe.types.get(sum)?.shape.join() !== extents) return [];
    return [{ node, weight, sum, origin: op === "Add" ? -number : number }];
  });
}

/** Creates the rules by which a number that multiplies the sum multiplies the weight around its origin. */
export function offsetRules(offsets: readonly OffsetWeight[]): ReadonlyMap<Node, FactorRule> {
  return new Map(
    offsets.map(({ node, weight }): [Node, FactorRule] => [
      node,
      ({ inputs }) => [inputs[node.inputs.indexOf(weight)]],
    ]),
  );
}
