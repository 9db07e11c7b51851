import { type Checkpoint, FormatError, openCheckpoint, openFileSource, readModelJson } from "@isthmus/core";
import type { Graph } from "../ir/graph.ts";
import { buildTopology } from "./build-topology.ts";
import { decodeTopology } from "./decode-topology.ts";

/** A model of TensorFlow.js: its architecture and its weights. */
export interface LayersModel {
  /** The architecture, which takes any batch; images have their channels last, as in the model. */
  readonly graph: Graph;
  /** Weights under their names in the model; close it when done. */
  readonly checkpoint: Checkpoint;
}

/**
 * Reads a LayersModel that TensorFlow.js saved or its converter made from a Keras model: `model.json` and
 * the files of weights beside it.
 *
 * Sequential and functional models of dense, convolution, pooling, norm, activation, merge and layout layers
 * are handled. Random noise of training is left out of the graph; dropout stays an operator.
 * @throws InputError if a file is missing
 * @throws FormatError if the model is malformed
 * @throws MismatchError if a weight is missing or has another shape than its layer needs
 * @throws UnsupportedError if a layer is not handled; it names the layer
 */
export async function readLayersModel(path: string): Promise<LayersModel> {
  const topology = decodeTopology(await readTopology(path), path);
  const checkpoint = await openCheckpoint(path);
  try {
    return { graph: buildTopology(topology, checkpoint.tensors, path), checkpoint };
  } catch (error) {
    await checkpoint.close();
    throw error;
  }
}

async function readTopology(path: string): Promise<unknown> {
  const source = await openFileSource(path);
  try {
    const model = await readModelJson(source);
    if (model !== undefined) return model.modelTopology;
  } finally {
    await source.close();
  }
  throw new FormatError(
    `Cannot read "${path}" as it must be the model.json of a LayersModel: it has no modelTopology`,
    { format: "layers-model" },
  );
}
