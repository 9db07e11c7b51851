import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Checkpoint, hubHint, InputError, openCheckpoint, readJsonFile } from "@isthmus/core";
import { type ConfigNetwork, networkOfConfig } from "./network-of-config.ts";

/** A model as it lies on disk: its weights, and the network that its config describes. */
export interface Model {
  readonly network: ConfigNetwork;
  /** To be closed when done. */
  readonly checkpoint: Checkpoint;
  /** The config's file. */
  readonly configPath: string;
}

/** Name of the file that describes a model, beside its weights. */
const CONFIG = "config.json";

/**
 * Opens a model in Hugging Face form: a folder with `config.json` and weights as safetensors, in one file or in shards; or a file
 * of weights with `config.json` beside it. Reads headers only.
 *
 * @throws InputError if there is no config, or no weights
 * @throws FormatError if the config or the weights are damaged
 * @throws UnsupportedError if the model is of a type that is not handled
 * @throws MismatchError if the config does not fit the weights
 */
export async function openModel(path: string, options: { readonly length?: number } = {}): Promise<Model> {
  const configPath = await configPathOf(path);
  const config = await readConfig(configPath);
  const checkpoint = await openCheckpoint(path);
  try {
    const { tensors } = checkpoint;
    return {
      network: networkOfConfig(config, { ...options, tensors, source: configPath }),
      checkpoint,
      configPath,
    };
  } catch (error) {
    await checkpoint.close();
    throw error;
  }
}

/**
 * Finds the config that describes a model: in its folder, or beside its file of weights.
 * @returns its path; undefined if there is none, or nothing of the model's name
 */
export async function findModelConfig(path: string): Promise<string | undefined> {
  const config = await configPathOf(path).catch(() => undefined);
  const stats = config === undefined ? undefined : await stat(config).catch(() => undefined);
  return stats?.isFile() ? config : undefined;
}

/** Where the config of a model would lie. @throws InputError if there is no folder or file of the model's name */
async function configPathOf(path: string): Promise<string> {
  try {
    return join((await stat(path)).isDirectory() ? path : dirname(path), CONFIG);
  } catch (error) {
    throw new InputError(
      `Cannot open model "${path}" as there must be a folder or file of that name: there is none${hubHint(path)}`,
      { input: path, cause: error },
    );
  }
}

async function readConfig(path: string): Promise<unknown> {
  if ((await stat(path).catch(() => undefined)) === undefined) {
    throw new InputError(
      `Cannot open a model without a graph as its config must lie beside the weights: there is no "${path}"; give a graph, or a folder with config.json`,
      { input: path },
    );
  }
  return readJsonFile(path, { format: "config" });
}
