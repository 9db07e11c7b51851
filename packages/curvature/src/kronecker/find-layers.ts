import { at, matchesAny, sizeOf, UnsupportedError } from "@isthmus/core";
import { type Graph, type Node, parameterNames } from "@isthmus/graph";
import { countUses } from "@isthmus/graph/ir";
import { findLinearLayers } from "@isthmus/statistics";

/** Layer whose curvature has Kronecker factors: a matrix product or a convolution. */
export interface KroneckerLayer {
  /** Name of the weight; undefined if only the bias is measured. */
  readonly weight: string | undefined;
  /** Name of the bias; undefined if there is none, or it is not measured. */
  readonly bias: string | undefined;
  /** Name of the value that the weight is applied to. */
  readonly input: string;
  /** Name of the result, of whose curvature the bias has the same. */
  readonly output: string;
  /** Whether the weight is stored as `[inputs, outputs]`. */
  readonly isFirst: boolean;
  /** Convolution; undefined for a matrix product. */
  readonly convolution: Node | undefined;
}

/**
 * Finds the layers whose parameters are measured: `Gemm` and `MatMul` with a weight, and `Conv`, each with
 * its bias.
 * @param patterns - names of parameters; undefined for all that belong to such layers
 * @throws UnsupportedError if a named parameter belongs to no such layer, or there is none
 */
export function findKroneckerLayers(
  attempt: string,
  graph: Graph,
  patterns: readonly string[] | undefined,
): KroneckerLayer[] {
  const uses = countUses(graph);
  const isOwn = (name: string | undefined): name is string =>
    name !== undefined && graph.weights.get(name)?.role === "parameter" && uses.get(name) === 1;
  const isMeasured = (name: string | undefined): name is string =>
    isOwn(name) && (patterns === undefined || matchesAny(patterns, name));
  const layers = [...linearLayers(graph), ...convolutions(graph)]
    .filter(({ weight }) => isOwn(weight))
    .map(
      (layer): KroneckerLayer => ({
        ...layer,
        weight: isMeasured(layer.weight) ? layer.weight : undefined,
        bias: isMeasured(layer.bias) ? layer.bias : undefined,
      }),
    )
    .filter(({ weight, bias }) => weight !== undefined || bias !== undefined);
  const names = layers.flatMap(({ weight, bias }) => [weight, bias]);
  const all = parameterNames(graph);
  const other =
    patterns === undefined
      ? undefined
      : all.find((name) => matchesAny(patterns, name) && !names.includes(name));
  if (layers.length > 0 && other === undefined) return layers;
  throw new UnsupportedError(
    `Cannot ${attempt} of graph "${graph.name}" as every parameter must be the weight or the bias of one Gemm, MatMul or Conv without groups: ${other === undefined ? `none of ${all.join(", ")} is` : `"${other}" is not`}; name others, or take the operator gauss-newton`,
    { feature: "Kronecker factors" },
  );
}

function linearLayers(graph: Graph): KroneckerLayer[] {
  return findLinearLayers(graph).layers.flatMap(({ node, ...layer }) => {
    const isScaled = ["alpha", "beta"].some((name) => Number(node.attributes.get(name)?.value ?? 1) !== 1);
    if (isScaled) return [];
    const bias = node.inputs[2] || addedBias(graph, layer.output);
    const outputs = graph.weights.get(layer.weight)?.shape[layer.isFirst ? 1 : 0];
    const isWhole = sizeOf(graph.weights.get(bias ?? "")?.shape ?? []) === outputs;
    return [{ ...layer, bias: isWhole ? bias : undefined, convolution: undefined }];
  });
}

/** Returns the vector of the graph's weights that is added to a value; undefined if there is none. */
function addedBias(graph: Graph, value: string): string | undefined {
  const [next, ...others] = graph.nodes.filter(({ inputs }) => inputs.includes(value));
  if (next?.op !== "Add" || others.length > 0) return undefined;
  const other = next.inputs.find((name) => name !== value) ?? "";
  return graph.weights.get(other)?.shape.length === 1 ? other : undefined;
}

function convolutions(graph: Graph): KroneckerLayer[] {
  return graph.nodes.flatMap((node) => {
    const [input = "", weight = "", bias] = node.inputs;
    if (node.op !== "Conv" || Number(node.attributes.get("group")?.value ?? 1) !== 1) return [];
    return [
      { weight, bias, input, output: at(node.outputs, 0, "output"), isFirst: false, convolution: node },
    ];
  });
}
