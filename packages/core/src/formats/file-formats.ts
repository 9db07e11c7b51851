import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import type { ByteSource } from "../io/byte-source.ts";
import { openFlax } from "./flax/open-flax.ts";
import { openGguf } from "./gguf/open-gguf.ts";
import { openHdf5 } from "./hdf5/open-hdf5.ts";
import { openKeras } from "./hdf5/open-keras.ts";
import { openNpzCheckpoint } from "./npz/open-npz-checkpoint.ts";
import { openOnnx } from "./onnx/open-onnx.ts";
import { KERAS_WEIGHTS } from "./run-file-names.ts";
import { openSafetensors } from "./safetensors/open-safetensors.ts";
import { openTorchLegacy } from "./torch/open-torch-legacy.ts";
import { openTorchZip } from "./torch/open-torch-zip.ts";
import { readZipDirectory } from "./zip/zip-directory.ts";

/** Formats of checkpoints in one file, which `detectFormat` distinguishes by content. */
export type FileFormat = "safetensors" | "zip" | "torch-legacy" | "gguf" | "onnx" | "flax" | "hdf5";

/**
 * Opens a file as a checkpoint, which owns `source` and closes it; on failure the caller must close it.
 * @param files - paths to report as read
 */
type OpenFormat = (source: ByteSource, files: readonly string[]) => Promise<Checkpoint>;

/** Functions that open each format; every checkpoint in a single file is opened through this table. */
export const FILE_FORMATS: Readonly<Record<FileFormat, OpenFormat>> = {
  safetensors: openSafetensors,
  zip: openZip,
  "torch-legacy": openTorchLegacy,
  gguf: openGguf,
  onnx: openOnnx,
  flax: openFlax,
  hdf5: openHdf5,
};

/**
 * Opens a zip archive: as one of Keras if it contains a file of its weights, as one of NumPy if it contains
 * arrays and no pickle of PyTorch, else as one of PyTorch.
 */
async function openZip(source: ByteSource, files: readonly string[]): Promise<Checkpoint> {
  const entries = await readZipDirectory(source);
  const names = [...entries.keys()];
  const weights = entries.get(KERAS_WEIGHTS);
  if (weights !== undefined) return openKeras(source, files, weights);
  const isNumpy =
    names.some((name) => name.endsWith(".npy")) && !names.some((name) => /(^|\/)data\.pkl$/.test(name));
  return isNumpy ? openNpzCheckpoint(source, files, entries) : openTorchZip(source, files, entries);
}
