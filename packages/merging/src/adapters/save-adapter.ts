import { createFolder, type DType, saveCheckpoint, saveFile } from "@isthmus/core";
import { join } from "@isthmus/platform";
import type { Adapter } from "./adapter.ts";
import { CONFIG_FILE, WEIGHT_FILES, WEIGHTS_OF_FILES } from "./open-adapter.ts";

/** Options of {@link saveAdapter}. */
export interface SaveAdapterOptions {
  /** Element type of all weights. @defaultValue unchanged */
  readonly dtype?: DType | undefined;
  /** Whether to replace an earlier adapter in the folder. @defaultValue false */
  readonly overwrite?: boolean;
}

/**
 * Saves an adapter as a folder that PEFT loads: `adapter_config.json` and `adapter_model.safetensors`; or, if
 * its tensors have names of kohya or diffusers, as `pytorch_lora_weights.safetensors`, which diffusers loads.
 * @throws InputError if the folder cannot be written, or has an adapter already
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createCheckpoint, createTensor } from "@isthmus/core";
 * import { extractAdapter, openAdapter, saveAdapter } from "@isthmus/merging";
 *
 * const network = (...w: number[]) =>
 *   createCheckpoint({ "q.weight": createTensor("f32", [2, 2], Float32Array.from(w)) });
 * const base = network(1, 0, 0, 1);
 * const { adapter } = extractAdapter(network(1, 2, 0, 1), base, { rank: 1 });
 * await saveAdapter(adapter, "adapter"); // a folder that PEFT loads
 * const again = await openAdapter("adapter");
 * assert.equal(again.modules.size, 1);
 * await again.checkpoint.close();
 * ```
 */
export async function saveAdapter(
  adapter: Adapter,
  folder: string,
  { dtype, overwrite = false }: SaveAdapterOptions = {},
): Promise<void> {
  const { checkpoint } = adapter;
  await createFolder(folder);
  await saveCheckpoint(checkpoint, join(folder, weightFileOf(adapter)), {
    dtype,
    overwrite,
    metadata: { ...checkpoint.metadata, format: "pt" },
  });
  await saveAdapterConfig(adapter, folder);
}

/** Returns the name of the file of weights that programs expect in the folder of an adapter. */
export function weightFileOf({ naming }: Pick<Adapter, "naming">): string {
  return naming === "PEFT" ? WEIGHT_FILES[0] : WEIGHTS_OF_FILES;
}

/**
 * Writes the settings of an adapter beside its weights, and replaces earlier settings.
 * @returns names of the written files; empty for an adapter without separate settings
 * @throws InputError if the file cannot be written, or the adapter itself is read from it
 */
export async function saveAdapterConfig(
  { checkpoint, config }: Pick<Adapter, "checkpoint" | "config">,
  folder: string,
): Promise<readonly string[]> {
  if (config === undefined) return [];
  const text = `${JSON.stringify(config.raw, undefined, 2)}\n`;
  await saveFile(join(folder, CONFIG_FILE), text, checkpoint.files);
  return [CONFIG_FILE];
}
