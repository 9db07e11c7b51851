import { byteLengthOf, type Checkpoint, UnsupportedError } from "@isthmus/core";
import { bakeWeights } from "../ir/bake-weights.ts";
import { bindWeights } from "../ir/bind-weights.ts";
import type { Graph } from "../ir/graph.ts";
import { encodeGraph } from "./encode-graph.ts";

/** Maximum size of an ONNX file in bytes: messages of protocol buffers end at 2 GiB. */
const MOST_BYTES = 2 ** 31 - 2 ** 20;

/**
 * Encodes a network as one ONNX model that contains its weights, which any runtime loads from a single file.
 *
 * Weights are stored in the element types of the graph. Only data inputs remain inputs.
 *
 * @throws MismatchError if a weight of the graph is missing from the network, or has another shape there
 * @throws UnsupportedError if the weights exceed 2 GiB, which one ONNX file cannot hold
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { openCheckpoint } from "@isthmus/core";
 * import { decodeGraph, encodeNetwork, readGraph } from "@isthmus/graph";
 *
 * const { graph } = await readGraph("examples/mnist-mlp/graph.onnx");
 * const network = await openCheckpoint("examples/mnist-mlp/s0.safetensors");
 * const decoded = decodeGraph(await encodeNetwork(graph, network)); // the bytes of an .onnx file
 * assert.equal(decoded.graph.inputs.length, 1);
 * await network.close();
 * ```
 */
export async function encodeNetwork(graph: Graph, network: Checkpoint): Promise<Uint8Array> {
  const bytes = [...graph.weights.values()].reduce((sum, info) => sum + byteLengthOf(info), 0);
  if (bytes > MOST_BYTES) {
    throw new UnsupportedError(
      `Cannot write "${network.source}" as one ONNX file as it must hold less than 2 GiB: its weights take ${bytes} bytes; keep them beside the graph, as safetensors`,
      { feature: "ONNX files above 2 GiB" },
    );
  }
  return encodeGraph(bakeWeights(graph, await bindWeights(graph, network)));
}
