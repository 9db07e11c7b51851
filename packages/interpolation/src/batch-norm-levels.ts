import { UnsupportedError } from "@isthmus/core";
import { capturedNames, type Graph, type Node } from "@isthmus/graph";

/** Batch norms of a graph that no path leads between: their statistics can be measured together. */
export interface BatchNormLevel {
  /** The batch norms of this level; `inputs` of each are x, scale, bias, mean, variance. */
  readonly norms: readonly Node[];
  /** Values computed before this level from the data and used by it or after it. */
  readonly live: readonly string[];
}

/**
 * Sorts the batch norms of a graph by how many batch norms lie before them on a path from the data.
 *
 * Only norms whose mean and variance are weights of the graph count.
 * @throws UnsupportedError if two norms share their statistics, which then are those of neither
 */
export function batchNormLevels(graph: Graph): BatchNormLevel[] {
  const depth = depthOfValues(graph);
  const levels: Node[][] = [];
  const owners = new Map<string, Node>();
  for (const node of graph.nodes) {
    if (!isMeasured(graph, node)) continue;
    assertOwnStatistics(graph, owners, node);
    const level = depth.get(node.outputs[0] ?? "") ?? 1;
    while (levels.length < level) levels.push([]);
    levels[level - 1]?.push(node);
  }
  return levels.map((norms, index) => ({ norms, live: liveValues(graph, depth, index) }));
}

function assertOwnStatistics(graph: Graph, owners: Map<string, Node>, node: Node): void {
  for (const name of node.inputs.slice(3, 5)) {
    const other = owners.get(name);
    if (other !== undefined) {
      throw new UnsupportedError(
        `Cannot measure batch norms of graph "${graph.name}" as each must have statistics of its own: "${other.name}" and "${node.name}" share "${name}"`,
        { feature: "shared batch-norm statistics" },
      );
    }
    owners.set(name, node);
  }
}

function isMeasured(graph: Graph, { op, inputs }: Node): boolean {
  return op === "BatchNormalization" && inputs.slice(3, 5).every((name) => graph.weights.has(name));
}

/** Number of batch norms before each value that depends on the data; other values are missing. */
function depthOfValues(graph: Graph): Map<string, number> {
  const depth = new Map<string, number>(graph.inputs.map(({ name }) => [name, 0]));
  for (const node of graph.nodes) {
    let level = -1;
    for (const name of readBy(node)) level = Math.max(level, depth.get(name) ?? -1);
    if (isMeasured(graph, node)) level = Math.max(level, 0) + 1;
    if (level < 0) continue;
    for (const name of node.outputs) if (name !== "") depth.set(name, level);
  }
  return depth;
}

function liveValues(graph: Graph, depth: ReadonlyMap<string, number>, level: number): string[] {
  const live = new Set<string>();
  for (const node of graph.nodes) {
    const own = Math.max(-1, ...node.outputs.map((name) => depth.get(name) ?? -1));
    if (own <= level) continue;
    for (const name of readBy(node))
      if ((depth.get(name) ?? Number.POSITIVE_INFINITY) <= level) live.add(name);
  }
  return [...live];
}

function readBy(node: Node): readonly string[] {
  return [...node.inputs, ...capturedNames(node)];
}
