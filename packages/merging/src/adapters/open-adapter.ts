import { stat } from "node:fs/promises";
import { join } from "node:path";
import { InputError, openCheckpoint, readJsonFile } from "@isthmus/core";
import { type Adapter, createAdapter } from "./adapter.ts";
import { parseAdapterConfig } from "./adapter-config.ts";

/** Name of the settings in an adapter's folder, as PEFT calls it. */
export const CONFIG_FILE = "adapter_config.json";
/** Names of the weights in an adapter's folder, the first that is there counts. */
export const WEIGHT_FILES = ["adapter_model.safetensors", "adapter_model.bin"] as const;

/**
 * Opens a LoRA adapter in a folder as PEFT saves it: `adapter_config.json` and `adapter_model.safetensors`.
 * Reads settings and headers only. It must be closed after use.
 * @throws InputError if the folder lacks one of the files
 * @throws FormatError if a file is damaged
 * @throws MismatchError if weights do not fit each other
 * @throws UnsupportedError if it is no LoRA adapter, or uses a variant that is not handled
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createCheckpoint, createTensor } from "@isthmus/core";
 * import { applyAdapter, extractAdapter, openAdapter, saveAdapter } from "@isthmus/merging";
 *
 * const network = (...w: number[]) =>
 *   createCheckpoint({ "q.weight": createTensor("f32", [2, 2], Float32Array.from(w)) });
 * const base = network(1, 0, 0, 1);
 * await saveAdapter(extractAdapter(network(1, 2, 0, 1), base, { rank: 1 }).adapter, "tuned");
 * const adapter = await openAdapter("tuned");
 * const tuned = applyAdapter(base, adapter);
 * assert.equal((await tuned.read("q.weight")).data.length, 4);
 * await adapter.checkpoint.close();
 * ```
 */
export async function openAdapter(folder: string): Promise<Adapter> {
  const config = parseAdapterConfig(await readJsonFile(join(folder, CONFIG_FILE)), folder);
  const checkpoint = await openCheckpoint(await findWeights(folder));
  try {
    return createAdapter(folder, checkpoint, config);
  } catch (error) {
    await checkpoint.close();
    throw error;
  }
}

/**
 * Checks whether a path is the folder of an adapter: it has an `adapter_config.json`, and no `config.json` of
 * a model.
 */
export async function isAdapterFolder(path: string): Promise<boolean> {
  const has = async (name: string) => (await stat(join(path, name)).catch(() => undefined)) !== undefined;
  return (await has(CONFIG_FILE)) && !(await has("config.json"));
}

async function findWeights(folder: string): Promise<string> {
  for (const file of WEIGHT_FILES) {
    const path = join(folder, file);
    if ((await stat(path).catch(() => undefined)) !== undefined) return path;
  }
  throw new InputError(
    `Cannot open adapter "${folder}" as it must hold ${WEIGHT_FILES[0]}: it holds ${CONFIG_FILE} only`,
    { input: folder },
  );
}
