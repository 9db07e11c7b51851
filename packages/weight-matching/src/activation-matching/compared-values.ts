import { at } from "@isthmus/core";
import type { Graph, Node } from "@isthmus/graph";
import { capturedNames } from "@isthmus/graph/ir";

/**
 * Choices of values by which units are compared: values that layers read (products and convolutions), or all
 * values computed from the data.
 */
export const ACTIVATION_CHOICES = ["read", "all"] as const;

/** A choice of values by which units are compared. */
export type ActivationChoice = (typeof ACTIVATION_CHOICES)[number];

/** Lists the values of a graph by which units are compared, in the order of its nodes. */
export function comparedValues(graph: Graph, choice: ActivationChoice): string[] {
  const all = computedValues(graph);
  return choice === "all" ? all : readValues(graph, all);
}

/** Operators that only move values, so that their output says no more than their input. */
const MOVES: ReadonlySet<string> = new Set(
  "Identity Cast Reshape Flatten Transpose Squeeze Unsqueeze Expand Dropout".split(" "),
);

/** Operators that multiply activations by weights or by each other. */
const READS: ReadonlySet<string> = new Set(["Conv", "ConvTranspose", "Gemm", "MatMul", "Einsum"]);

/** Lists the values that are computed from the data, except by operators that only move values. */
function computedValues(graph: Graph): string[] {
  const dependent = new Set(graph.inputs.map(({ name }) => name));
  const values: string[] = [];
  for (const node of graph.nodes) {
    if (![...node.inputs, ...capturedNames(node)].some((name) => dependent.has(name))) continue;
    for (const name of node.outputs) {
      if (name === "") continue;
      dependent.add(name);
      if (!MOVES.has(node.op)) values.push(name);
    }
  }
  return values;
}

/** Selects the values that layers read, directly or after moving them. */
function readValues(graph: Graph, values: readonly string[]): string[] {
  const producer = new Map<string, Node>();
  for (const node of graph.nodes) for (const name of node.outputs) producer.set(name, node);
  const read = new Set<string>();
  for (const { op, inputs } of graph.nodes) {
    if (!READS.has(op)) continue;
    for (const input of inputs) {
      let name = input;
      for (
        let node = producer.get(name);
        node !== undefined && MOVES.has(node.op);
        node = producer.get(name)
      ) {
        name = at(node.inputs, 0, "input");
      }
      read.add(name);
    }
  }
  return values.filter((value) => read.has(value));
}
