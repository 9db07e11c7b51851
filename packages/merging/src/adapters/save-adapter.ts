import { join } from "node:path";
import { createFolder, type DType, saveCheckpoint, saveFile } from "@isthmus/core";
import type { Adapter } from "./adapter.ts";
import { CONFIG_FILE, WEIGHT_FILES } from "./open-adapter.ts";

/** Options of {@link saveAdapter}. */
export interface SaveAdapterOptions {
  /** Element type of all weights. @defaultValue unchanged */
  readonly dtype?: DType | undefined;
  /** Whether to replace an earlier adapter in the folder. @defaultValue false */
  readonly overwrite?: boolean;
}

/**
 * Saves an adapter as a folder that PEFT loads: `adapter_config.json` and `adapter_model.safetensors`.
 * @throws InputError if the folder cannot be written, or has an adapter already
 */
export async function saveAdapter(
  adapter: Adapter,
  folder: string,
  { dtype, overwrite = false }: SaveAdapterOptions = {},
): Promise<void> {
  const { checkpoint, config } = adapter;
  await createFolder(folder);
  await saveCheckpoint(checkpoint, join(folder, WEIGHT_FILES[0]), {
    dtype,
    overwrite,
    metadata: { format: "pt" },
  });
  const text = `${JSON.stringify(config.raw, undefined, 2)}\n`;
  await saveFile(join(folder, CONFIG_FILE), text, checkpoint.files);
}
