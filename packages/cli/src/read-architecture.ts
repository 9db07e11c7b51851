import { stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { Tensor } from "@isthmus/core";
import { type Graph, readGraph, readLayersModel } from "@isthmus/graph";
import { openModel } from "@isthmus/zoo";

/** An architecture as it was read. */
export interface ReadArchitecture {
  readonly graph: Graph;
  /** Weights that the file carries; none where its weights are inputs. */
  readonly carried: ReadonlyMap<string, Tensor>;
  /** Makes a small graph of the same structure, where the whole was built and not read. */
  readonly narrow?: (() => Graph) | undefined;
}

/** Files of weights, beside which a config may lie. */
const WEIGHTS = /\.safetensors(\.index\.json)?$/;

/**
 * Reads an architecture: a model's folder with its config.json, that config, or weights beside it; a LayersModel of TensorFlow.js
 * where the name ends in .json; else ONNX.
 */
export async function readArchitecture(path: string): Promise<ReadArchitecture> {
  const name = path.toLowerCase();
  if (basename(name) === "config.json") return readModel(dirname(path));
  if (WEIGHTS.test(name)) return readModel(path);
  if (name.endsWith(".json")) {
    const { graph, checkpoint } = await readLayersModel(path);
    await checkpoint.close();
    return { graph, carried: new Map() };
  }
  const stats = await stat(path).catch(() => undefined);
  if (stats?.isDirectory()) return readModel(path);
  const { graph, weights } = await readGraph(path);
  return { graph, carried: weights };
}

/** Builds the network of a model's config, and checks it against the names and shapes of the weights. */
export async function readModel(path: string): Promise<ReadArchitecture> {
  const { network, checkpoint } = await openModel(path);
  await checkpoint.close();
  return { graph: network.graph, carried: new Map(), narrow: () => network.narrow().graph };
}
