import {
  type Checkpoint,
  hubHint,
  InputError,
  openCheckpoint,
  readJsonFile,
  resolveModelPath,
} from "@isthmus/core";
import { dirname, join, stat } from "@isthmus/platform";
import { type ConfigNetwork, networkOfConfig } from "./network-of-config.ts";

/** A model on disk: its weights, and the network that its config describes. */
export interface Model {
  /** Network that the config describes. */
  readonly network: ConfigNetwork;
  /** Checkpoint of the weights; must be closed after use. */
  readonly checkpoint: Checkpoint;
  /** Path of the config. */
  readonly configPath: string;
}

/** Name of the file beside the weights that describes a model. */
const CONFIG = "config.json";

/**
 * Opens a model in Hugging Face form: a folder with `config.json` and weights as safetensors, in one file or
 * in shards; or a file of weights with `config.json` beside it. Reads headers only.
 *
 * @throws InputError if there is no config, or no weights
 * @throws FormatError if the config or the weights are damaged
 * @throws UnsupportedError if the type of the model is not supported
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
 * @returns path of the config; undefined if there is no config, or no file or folder at `path`
 */
export async function findModelConfig(path: string): Promise<string | undefined> {
  const config = await configPathOf(path).catch(() => undefined);
  const stats = config === undefined ? undefined : await stat(config).catch(() => undefined);
  return stats?.isFile() ? config : undefined;
}

/**
 * Returns the path at which a model's config is expected.
 * @throws InputError if there is no folder or file at `path`
 */
async function configPathOf(model: string): Promise<string> {
  const path = await resolveModelPath(model);
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
  return readJsonFile(path, { format: "config", within: dirname(path), pythonNumbers: true });
}
