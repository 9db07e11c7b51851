import { UnsupportedError } from "@isthmus/core";
import { chooseOutput, type Graph, parameterNames } from "@isthmus/graph";

/** Linear layer that computes the output of a network. */
export interface LastLayer {
  /** Name of the value that the layer reads. */
  readonly input: string;
  /** Names of the layer's weights. */
  readonly weights: readonly string[];
}

/**
 * Finds the linear layer that computes an output.
 * @throws UnsupportedError if no linear layer computes the output
 */
export function findLastLayer(attempt: string, graph: Graph, output: string): LastLayer {
  const isValue = (name: string) => !graph.weights.has(name) && !graph.constants.has(name);
  const weights: string[] = [];
  for (let name: string | undefined = output; name !== undefined; ) {
    const node = graph.nodes.find(({ outputs }) => outputs.includes(name as string));
    if (node === undefined) break;
    const inputs = node.inputs.filter(isValue);
    if (inputs.length !== 1) break;
    weights.push(...node.inputs.filter((input) => graph.weights.has(input)));
    name = inputs[0];
    if ((node.op === "Gemm" || node.op === "MatMul") && name !== undefined) return { input: name, weights };
  }
  throw new UnsupportedError(
    `Cannot ${attempt} as "${output}" of graph "${graph.name}" must be computed by a linear layer: it is not`,
    { feature: "networks without a last linear layer" },
  );
}

/**
 * Lists the parameters that are frozen when only the last linear layer is trained, for `freeze` of `train`.
 * @throws UnsupportedError if the network's output is not computed by a linear layer
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { frozenBelowLastLayer, parseNetwork } from "isthmus";
 *
 * const { graph } = parseNetwork("mlp:8", { exampleShape: [1, 28, 28], classes: 10 });
 * assert.deepEqual(frozenBelowLastLayer(graph), ["layers.0.weight", "layers.0.bias"]);
 * ```
 */
export function frozenBelowLastLayer(graph: Graph): readonly string[] {
  const attempt = "train the last layer alone";
  const { weights } = findLastLayer(attempt, graph, chooseOutput(attempt, graph).name);
  return [...parameterNames(graph)].filter((name) => !weights.includes(name));
}
