import { entry, groupBy, OutOfRangeError, sizeOf, UnsupportedError } from "@isthmus/core";
import type { Graph, Node } from "@isthmus/graph";
import { capturedNames } from "@isthmus/graph/ir";
import { assertLayerPatterns, fitsLayer, layerOf } from "@isthmus/interpolation";

/** Group of tensors that move together. */
export interface LayerTensors {
  /** Name of the group: a layer, a block, or a user-defined one. */
  readonly name: string;
  /** Names of the tensors, in the graph's order. */
  readonly tensors: readonly string[];
}

/** A group that is defined by patterns, in which `*` matches any characters and `?` matches one. */
export interface LayerPattern {
  /** Name of the group in the result. */
  readonly name: string;
  /** Names of layers (`conv1`) or of tensors (`conv1.weight`). */
  readonly patterns: readonly string[];
}

/** Units by which weights are grouped, see {@link groupLayers}. */
export const GROUPINGS = ["layer", "block"] as const;

/** Unit by which weights are grouped. */
export type Grouping = (typeof GROUPINGS)[number];

/** Name of all groups together. */
export const ALL_GROUPS = "all";

/**
 * Groups the weights of a graph by layer, in the order the network uses them.
 *
 * A layer consists of all weights that share a name up to the last dot; the statistics of a batch norm belong
 * to the layer of its scale. A weight is used at the node where a value computed from it meets a value
 * computed from an input, so that weights that are transposed or reshaped before do not come first. The
 * position of a group is the position of its first tensor.
 *
 * A block is a numbered part of the network, such as `blocks.0` with the layers `blocks.0.fc1` and
 * `blocks.0.attn.qkv`: all layers that share a name up to its first number. A layer without a number in its
 * name is a block of its own.
 *
 * @param patterns - groups to form first; a tensor belongs to the first group that matches, other tensors are
 *   grouped by layer or block
 * @throws OutOfRangeError if a pattern fits no weight, two groups have one name, or one is called `all`
 * @throws UnsupportedError if the graph has no weights
 * @see Adilova et al., Layer-wise linear mode connectivity, 2024, section 3; groups are formed as in its
 *   implementation
 */
export function groupLayers(
  graph: Graph,
  patterns: readonly LayerPattern[] = [],
  by: Grouping = "layer",
): LayerTensors[] {
  if (graph.weights.size === 0) {
    throw new UnsupportedError(
      `Cannot group layers of graph "${graph.name}" as it must have weights: it has none`,
      {
        feature: "graph without weights",
      },
    );
  }
  assertPatterns(graph, patterns);
  const owners = statisticsOwners(graph);
  const groupOf = (name: string): string => {
    const owner = owners.get(name) ?? name;
    return (
      patterns.find((group) => group.patterns.some((pattern) => fitsLayer(pattern, name)))?.name ??
      (by === "layer" ? layerOf(owner) : blockOf(layerOf(owner)))
    );
  };
  const groups = groupBy(weightsByUse(graph), groupOf);
  const order = new Map([...graph.weights.keys()].map((name, index) => [name, index]));
  const byOrder = (x: string, y: string) => entry(order, x, "weight") - entry(order, y, "weight");
  return [...groups].map(([name, tensors]) => ({ name, tensors: tensors.sort(byOrder) }));
}

/** Returns a layer's name up to the first part of it that is a number: `h.0` of `h.0.attn.q`. */
function blockOf(layer: string): string {
  const parts = layer.split(".");
  const number = parts.findIndex((part) => /^\d+$/.test(part));
  return number < 0 ? layer : parts.slice(0, number + 1).join(".");
}

/** Counts the elements of all tensors of a group. */
export function countElements({ weights }: Graph, { tensors }: LayerTensors): number {
  return tensors.reduce((sum, name) => sum + sizeOf(entry(weights, name, "weight").shape), 0);
}

function assertPatterns(graph: Graph, groups: readonly LayerPattern[]): void {
  const attempt = `group layers of graph "${graph.name}"`;
  groups.forEach(({ name, patterns }, index) => {
    if (groups.findIndex((group) => group.name === name) !== index) {
      throw new OutOfRangeError(
        `Cannot ${attempt} as every group must have a name of its own: two are "${name}"`,
      );
    }
    if (name === ALL_GROUPS) {
      throw new OutOfRangeError(
        `Cannot ${attempt} as "${ALL_GROUPS}" stands for all groups: name the group otherwise`,
      );
    }
    assertLayerPatterns(attempt, patterns, [...graph.weights.keys()]);
  });
}

/** Returns the scale of the batch norm that each running statistic belongs to. */
function statisticsOwners(graph: Graph): ReadonlyMap<string, string> {
  const owners = new Map<string, string>();
  for (const { op, inputs } of graph.nodes) {
    const [, scale = "", , ...statistics] = inputs;
    if (op !== "BatchNormalization" || !graph.weights.has(scale)) continue;
    for (const name of statistics) if (graph.weights.has(name)) owners.set(name, scale);
  }
  return owners;
}

/**
 * Returns the weights in the order in which they meet the data; weights that never meet the data come last.
 */
function weightsByUse(graph: Graph): string[] {
  const moving = new Set(graph.inputs.map(({ name }) => name));
  const sources = new Map([...graph.weights.keys()].map((name) => [name, new Set([name])]));
  const used = new Set<string>();
  for (const node of graph.nodes) {
    const inputs = inputsOf(node);
    const weights = new Set(inputs.flatMap((name) => [...(sources.get(name) ?? [])]));
    if (inputs.some((name) => moving.has(name))) {
      for (const name of node.outputs) moving.add(name);
      for (const name of weights) used.add(name);
    } else {
      for (const name of node.outputs) sources.set(name, weights);
    }
  }
  return [...new Set([...used, ...graph.weights.keys()])];
}

function inputsOf(node: Node): readonly string[] {
  return [...node.inputs, ...capturedNames(node)].filter((name) => name !== "");
}
