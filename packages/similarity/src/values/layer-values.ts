import { matchesAny, OutOfRangeError } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import { dependentValues, listNames } from "@isthmus/graph/ir";

/** Value of a graph that stands for a layer. */
export interface LayerValue {
  /** Name of the value in the graph. */
  readonly name: string;
  /** Short name of the value, unique in the graph. */
  readonly label: string;
}

/** Operators that multiply activations by weights. */
const LAYERS: ReadonlySet<string> = new Set([
  "Conv",
  "ConvTranspose",
  "Gemm",
  "MatMul",
  "Einsum",
  "LSTM",
  "GRU",
  "RNN",
]);

/** Operators that only move elements of values. */
const MOVES: ReadonlySet<string> = new Set(
  "Identity Cast Reshape Flatten Transpose Squeeze Unsqueeze Expand Dropout".split(" "),
);

/**
 * Lists the values of a graph that stand for its layers: the values that layers with weights read, and the
 * outputs of the graph, in the order of its nodes. Data inputs are left out, even if operators only move
 * their elements.
 * @param patterns - names or labels of other values to take instead, in which `*` matches any characters
 * @throws OutOfRangeError if a pattern matches no value, or the graph has no layers
 */
export function layerValues(graph: Graph, patterns?: readonly string[]): LayerValue[] {
  const computed = computedValues(graph);
  const labels = labelValues(computed);
  const all = computed.map((name, i) => ({ name, label: labels[i] ?? name }));
  if (patterns === undefined) {
    const isLayer = readByLayers(graph);
    return all.filter(({ name }) => isLayer.has(name));
  }
  for (const pattern of patterns) {
    if (all.some(({ name, label }) => matchesAny([pattern], name) || matchesAny([pattern], label))) continue;
    throw new OutOfRangeError(
      `Cannot measure similarity of "${pattern}" as it must match a value that graph "${graph.name}" computes from its data: it matches none of ${listNames(labels)}`,
    );
  }
  return all.filter(({ name, label }) => matchesAny(patterns, name) || matchesAny(patterns, label));
}

/** Lists the values that depend on the data and are not just moved inputs. */
function computedValues(graph: Graph): string[] {
  const inputs = graph.inputs.map(({ name }) => name);
  const dependent = dependentValues(graph, inputs);
  const moved = new Set(inputs);
  for (const { op, inputs: read, outputs } of graph.nodes) {
    const [first] = read;
    if (!MOVES.has(op) || first === undefined || !moved.has(first)) continue;
    for (const name of outputs) moved.add(name);
  }
  return graph.nodes.flatMap(({ outputs }) =>
    outputs.filter((name) => name !== "" && dependent.has(name) && !moved.has(name)),
  );
}

/**
 * Returns the names of the values that are multiplied by a value that does not depend on the data, and of the
 * outputs of the graph.
 */
function readByLayers(graph: Graph): ReadonlySet<string> {
  const dependent = dependentValues(
    graph,
    graph.inputs.map(({ name }) => name),
  );
  const read = new Set(graph.outputs.map(({ name }) => name));
  for (const { op, inputs } of graph.nodes) {
    if (!LAYERS.has(op)) continue;
    const [first, ...others] = inputs.slice(0, 2).filter((name) => dependent.has(name));
    if (first !== undefined && others.length === 0) read.add(first);
  }
  return read;
}

/**
 * Shortens the names that exporters give to values: `/blocks/blocks.0/attn/MatMul_1_output_0` becomes
 * `blocks.0/attn/MatMul_1`. Names whose short form would not be unique are not shortened.
 * @returns a label for each name, in order
 */
function labelValues(names: readonly string[]): string[] {
  const labels = names.map(labelOf);
  const counts = new Map<string, number>();
  for (const label of labels) counts.set(label, 1 + (counts.get(label) ?? 0));
  return labels.map((label, i) => ((counts.get(label) ?? 1) > 1 ? (names[i] ?? label) : label));
}

function labelOf(name: string): string {
  const parts = name
    .replace(/^\//, "")
    .replace(/_output_0$/, "")
    .split("/");
  const shown = parts.filter((part, i) => !(parts[i + 1]?.startsWith(`${part}.`) ?? false));
  return shown.join("/") || name;
}
