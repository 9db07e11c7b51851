import { UnsupportedError } from "@isthmus/core";
import type { Graph, Node } from "@isthmus/graph";
import type { Site } from "./site.ts";

/** A batch norm whose mean and variance are weights of the graph, by name. */
export interface BatchNormSite extends Site {
  /** Name of the weight with the running mean. */
  readonly mean: string;
  /** Name of the weight with the running variance. */
  readonly variance: string;
}

/**
 * Counts the batch norms of a graph that can be measured again: their mean and variance are weights that no
 * two norms share. Returns 0 if two norms share any.
 */
export function countBatchNorms(graph: Graph): number {
  const norms = graph.nodes.filter(
    ({ op, inputs }) =>
      op === "BatchNormalization" && inputs.slice(3, 5).every((name) => graph.weights.has(name)),
  );
  return new Set(norms.flatMap(({ inputs }) => inputs.slice(3, 5))).size === 2 * norms.length
    ? norms.length
    : 0;
}

/**
 * Finds the batch norms of a graph whose mean and variance are weights of it.
 * @throws UnsupportedError if two norms share statistics, which then cannot be correct for both
 */
export function findBatchNorms(graph: Graph): BatchNormSite[] {
  const owners = new Map<string, Node>();
  return graph.nodes.flatMap((node): BatchNormSite[] => {
    const [value = "", , , mean = "", variance = ""] = node.inputs;
    if (node.op !== "BatchNormalization" || !graph.weights.has(mean) || !graph.weights.has(variance))
      return [];
    for (const name of [mean, variance]) claim(graph, owners, { name, node });
    return [{ node: node.name, value, axis: 1, label: mean, mean, variance }];
  });
}

function claim(
  graph: Graph,
  owners: Map<string, Node>,
  { name, node }: { readonly name: string; readonly node: Node },
): void {
  const other = owners.get(name);
  if (other !== undefined) {
    throw new UnsupportedError(
      `Cannot measure batch norms of graph "${graph.name}" as each must have statistics of its own: "${other.name}" and "${node.name}" share "${name}"`,
      { feature: "shared batch-norm statistics" },
    );
  }
  owners.set(name, node);
}
