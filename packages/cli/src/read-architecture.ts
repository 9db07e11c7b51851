import { stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { Tensor } from "@isthmus/core";
import { type Graph, readGraph, readLayersModel, scoreOutput } from "@isthmus/graph";
import { type ConfigNetwork, openModel } from "@isthmus/zoo";
import { readTextEncoding, type TextEncoding } from "./read-vocabulary.ts";

/** What a graph is told that its file does not say; an alias, as commander wants it. */
export type GraphOptions = {
  /** Names of the data inputs. */
  readonly input?: readonly string[] | undefined;
  /** Name of the output that is scored. */
  readonly logits?: string | undefined;
};

/** An architecture as it was read. */
export interface ReadArchitecture {
  readonly graph: Graph;
  /** Weights that the file carries; none where its weights are inputs. */
  readonly carried: ReadonlyMap<string, Tensor>;
  /** Makes a small graph of the same structure, where the whole was built and not read. */
  readonly narrow?: (() => Graph) | undefined;
  /** The model that it was built for, where it was not read from a file. */
  readonly model?: ReadModel | undefined;
}

/** A model whose network was built from its config. */
export interface ReadModel extends TextEncoding, Pick<ConfigNetwork, "modelType" | "maxLength"> {
  /** The model's folder, for messages. */
  readonly path: string;
  /** Its network for examples of another number of tokens. */
  ofLength(length: number): Pick<ReadArchitecture, "graph" | "narrow">;
}

/** Files of weights, beside which a config may lie. */
const WEIGHTS = /\.safetensors(\.index\.json)?$/;

/**
 * Reads an architecture: a model's folder with its config.json, that config, or weights beside it; a LayersModel of TensorFlow.js
 * where the name ends in .json; else ONNX.
 *
 * @throws InputError if a data input or the output to be scored is not there
 */
export async function readArchitecture(path: string, options: GraphOptions = {}): Promise<ReadArchitecture> {
  const name = path.toLowerCase();
  if (basename(name) === "config.json") return readModel(dirname(path), options);
  if (WEIGHTS.test(name)) return readModel(path, options);
  if (name.endsWith(".json")) {
    const { graph, checkpoint } = await readLayersModel(path);
    await checkpoint.close();
    return { graph: scored(graph, options), carried: new Map() };
  }
  const stats = await stat(path).catch(() => undefined);
  if (stats?.isDirectory()) return readModel(path, options);
  const { input } = options;
  const { graph, weights } = await readGraph(path, input === undefined ? {} : { inputs: input });
  return { graph: scored(graph, options), carried: weights };
}

function scored(graph: Graph, { logits }: GraphOptions): Graph {
  return logits === undefined ? graph : scoreOutput(graph, logits);
}

/** Builds the network of a model's config, and checks it against the names and shapes of the weights. */
export async function readModel(path: string, options: GraphOptions = {}): Promise<ReadArchitecture> {
  const { network, checkpoint, configPath } = await openModel(path);
  await checkpoint.close();
  const { modelType, maxLength } = network;
  const built = (own: ConfigNetwork) => ({
    graph: scored(own.graph, options),
    narrow: () => own.narrow().graph,
  });
  const model: ReadModel = {
    ...(await readTextEncoding(dirname(configPath))),
    path,
    modelType,
    ...(maxLength === undefined ? {} : { maxLength }),
    ofLength: (length) => built(network.ofLength(length)),
  };
  return { ...built(network), carried: new Map(), model };
}
