import { readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Checkpoint, FormatError, InputError, openCheckpoint } from "@isthmus/core";
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
  const configPath = await findConfig(path);
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

/** Where the config of a model would lie: in its folder, or beside its file. @throws InputError if there is no such folder or file */
async function findConfig(path: string): Promise<string> {
  try {
    return join((await stat(path)).isDirectory() ? path : dirname(path), CONFIG);
  } catch (error) {
    throw new InputError(
      `Cannot open model "${path}" as there must be a folder or file of that name: there is none`,
      {
        input: path,
        cause: error,
      },
    );
  }
}

async function readConfig(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    throw new InputError(
      `Cannot open a model without a graph as its config must lie beside the weights: "${path}" cannot be read; give a graph, or a folder with config.json`,
      { input: path, cause: error },
    );
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new FormatError(`Cannot read "${path}" as it must be JSON: ${(error as Error).message}`, {
      format: "config",
      cause: error,
    });
  }
}
