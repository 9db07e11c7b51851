import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import type { ByteSource } from "../io/byte-source.ts";
import { openGguf } from "./gguf/open-gguf.ts";
import { openNpzCheckpoint } from "./npz/open-npz-checkpoint.ts";
import { openOnnx } from "./onnx/open-onnx.ts";
import { openSafetensors } from "./safetensors/open-safetensors.ts";
import { openTorchLegacy } from "./torch/open-torch-legacy.ts";
import { openTorchZip } from "./torch/open-torch-zip.ts";
import { readZipDirectory } from "./zip/zip-directory.ts";

/** Formats of a checkpoint in one file, which `detectFormat` tells apart by its content. */
export type FileFormat = "safetensors" | "zip" | "torch-legacy" | "gguf" | "onnx";

/**
 * Opens a file as a checkpoint, which owns `source` and closes it; on failure the caller must close it.
 * @param files - paths to report as read
 */
type OpenFormat = (source: ByteSource, files: readonly string[]) => Promise<Checkpoint>;

/** The one table of formats of files; every checkpoint in a file is opened through it. */
export const FILE_FORMATS: Readonly<Record<FileFormat, OpenFormat>> = {
  safetensors: openSafetensors,
  zip: openZip,
  "torch-legacy": openTorchLegacy,
  gguf: openGguf,
  onnx: openOnnx,
};

/** Opens a zip archive: of NumPy if it holds arrays and no pickle of PyTorch, else of PyTorch. */
async function openZip(source: ByteSource, files: readonly string[]): Promise<Checkpoint> {
  const entries = await readZipDirectory(source);
  const names = [...entries.keys()];
  const isNumpy =
    names.some((name) => name.endsWith(".npy")) && !names.some((name) => /(^|\/)data\.pkl$/.test(name));
  return isNumpy ? openNpzCheckpoint(source, files, entries) : openTorchZip(source, files, entries);
}
