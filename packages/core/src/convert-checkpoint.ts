import { dirname, extname } from "node:path";
import type { Checkpoint } from "./checkpoint/checkpoint.ts";
import { InputError, UsageError } from "./errors.ts";
import { type GgufTarget, ggufBytes, ggufTarget, writeGguf } from "./formats/gguf/write-gguf.ts";
import { npzBytes, numpyType, writeNpz } from "./formats/npz/write-npz.ts";
import { torchBytes, writeTorch } from "./formats/torch/write-torch.ts";
import { assertNoInput } from "./io/assert-no-input.ts";
import { createFolder, removeFolders } from "./io/create-folder.ts";
import { createOutputFile } from "./io/output-file.ts";
import { openCheckpoint } from "./open-checkpoint.ts";
import { resolveOptions } from "./options.ts";
import { createFileWriter, type FileWriter } from "./save/file-writer.ts";
import { assertNotThere, assertRoom } from "./save/plan-save.ts";
import {
  SAVE_CHECKPOINT_DEFAULTS,
  type SaveCheckpointOptions,
  type SaveCheckpointResult,
  saveCheckpoint,
} from "./save-checkpoint.ts";
import { DTYPES, type DType, isDType } from "./tensor/dtype.ts";
import type { TensorInfo } from "./tensor/tensor.ts";

/** Formats that checkpoints are written in. */
export const WRITTEN_FORMATS = ["safetensors", "torch", "npz", "gguf"] as const;

/** A format that checkpoints are written in. */
export type WrittenFormat = (typeof WRITTEN_FORMATS)[number];

/** Options of {@link convertCheckpoint}. */
export interface ConvertCheckpointOptions
  extends Omit<SaveCheckpointOptions, "dtype" | "chunkBytes" | "buffers"> {
  /**
   * Element type of all floating-point tensors, or `q8_0` in GGUF; integers and `bool` keep theirs.
   * @defaultValue unchanged
   */
  readonly dtype?: DType | "q8_0" | undefined;
  /** Format to write. @defaultValue the format that the path's extension names; safetensors for a folder */
  readonly format?: WrittenFormat | undefined;
}

/** Defaults of {@link convertCheckpoint}. */
export const CONVERT_CHECKPOINT_DEFAULTS: Required<ConvertCheckpointOptions> = {
  ...withoutStreaming(SAVE_CHECKPOINT_DEFAULTS),
  dtype: undefined,
  format: undefined,
};

/**
 * Writes a checkpoint in another format: safetensors, a file of PyTorch (`.pt`, `.pth`, `.bin`), an archive
 * of NumPy (`.npz`), or GGUF.
 *
 * Tensors are read by range and written as they come, so memory does not grow with the checkpoint. The file
 * has a temporary name until it is complete. Metadata are kept, except in files of NumPy and PyTorch, which
 * have none. Types that a format lacks become the next type that holds all their numbers: bf16 becomes f32 in
 * npz, `bool` becomes i8 in GGUF. In GGUF, floats of one axis or none become f32 where `dtype` names a
 * narrower type, and so are tensors whose rows have no whole blocks of q8_0, as llama.cpp needs it.
 * @param input - path of a checkpoint of any format, or an open one, which stays open
 * @param output - path to write; a folder for safetensors
 * @throws InputError if the output cannot be used, or numbers are not finite or do not fit
 * @throws UnsupportedError if the format has no way to hold a tensor
 * @throws UsageError if the format or element type contradict each other or the output
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { convertCheckpoint, openCheckpoint } from "@isthmus/core";
 *
 * await convertCheckpoint("examples/mnist-mlp/s0.safetensors", "s0.npz", { dtype: "f32", overwrite: true });
 * const arrays = await openCheckpoint("s0.npz"); // numpy.load reads it, too
 * assert.equal(arrays.tensors.get("layers.0.weight")?.dtype, "f32");
 * await arrays.close();
 * ```
 */
export async function convertCheckpoint(
  input: string | Checkpoint,
  output: string,
  options: ConvertCheckpointOptions = {},
): Promise<SaveCheckpointResult> {
  const resolved = resolveOptions("convert a checkpoint", CONVERT_CHECKPOINT_DEFAULTS, options);
  const format = resolved.format ?? formatOf(output);
  assertOptions(format, resolved, output);
  const checkpoint = typeof input === "string" ? await openCheckpoint(input) : input;
  try {
    if (format !== "safetensors") return await writeFile(checkpoint, output, format, resolved);
    const { format: _format, dtype, ...saveOptions } = resolved;
    return await saveCheckpoint(checkpoint, output, { ...saveOptions, dtype: dtype as DType | undefined });
  } finally {
    if (typeof input === "string") await checkpoint.close();
  }
}

type Options = Readonly<Required<ConvertCheckpointOptions>>;

function withoutStreaming({
  chunkBytes: _chunkBytes,
  buffers: _buffers,
  ...others
}: Required<SaveCheckpointOptions>): Omit<Required<SaveCheckpointOptions>, "chunkBytes" | "buffers"> {
  return others;
}

/** Endings of files that `torch.save` writes. */
const TORCH_EXTENSIONS: ReadonlySet<string> = new Set(["pt", "pth", "bin", "ckpt"]);

function formatOf(output: string): WrittenFormat {
  const extension = extname(output).slice(1).toLowerCase();
  if (TORCH_EXTENSIONS.has(extension)) return "torch";
  return WRITTEN_FORMATS.find((format) => format === extension) ?? "safetensors";
}

function assertOptions(format: WrittenFormat, { dtype, maxShardBytes }: Options, output: string): void {
  const fail = (problem: string): UsageError => new UsageError(`Cannot write "${output}" as ${problem}`);
  if (!WRITTEN_FORMATS.includes(format))
    throw fail(`the format must be one of ${WRITTEN_FORMATS.join(", ")}: it is "${format}"`);
  if (dtype === "q8_0" && format !== "gguf") throw fail(`q8_0 is a type of GGUF: the format is ${format}`);
  if (dtype !== undefined && dtype !== "q8_0" && !(isDType(dtype) && DTYPES[dtype].float))
    throw fail(`"dtype" must be a floating-point type or q8_0: it is "${dtype}"`);
  if (format === "npz" && dtype !== undefined && numpyType(dtype as DType) !== dtype)
    throw fail(`NumPy must have the element type: it has no ${dtype}; choose f16, f32 or f64`);
  if (format !== "safetensors" && maxShardBytes !== Number.POSITIVE_INFINITY)
    throw fail(`only safetensors are written in shards: the format is ${format}`);
}

/** What is written, and how. */
interface WritePlan {
  readonly bytes: number;
  readonly write: (writer: FileWriter) => Promise<void>;
}

function planArchive(checkpoint: Checkpoint, format: "torch" | "npz", dtype: DType | undefined): WritePlan {
  const tensors = new Map<string, TensorInfo>();
  for (const [name, { dtype: stored, shape }] of checkpoint.tensors) {
    const unchanged = format === "npz" ? numpyType(stored) : stored;
    tensors.set(name, { dtype: dtype !== undefined && DTYPES[stored].float ? dtype : unchanged, shape });
  }
  return format === "npz"
    ? { bytes: npzBytes(tensors), write: (writer) => writeNpz(tensors, writer) }
    : { bytes: torchBytes(tensors), write: (writer) => writeTorch(tensors, writer) };
}

function planGguf(checkpoint: Checkpoint, { dtype, metadata: replaced }: Options): WritePlan {
  const tensors = new Map<string, GgufTarget>();
  for (const [name, info] of checkpoint.tensors) tensors.set(name, ggufTarget(name, info, dtype));
  const metadata = replaced ?? checkpoint.metadata;
  return { bytes: ggufBytes(tensors, metadata), write: (writer) => writeGguf(tensors, metadata, writer) };
}

async function writeFile(
  checkpoint: Checkpoint,
  path: string,
  format: Exclude<WrittenFormat, "safetensors">,
  options: Options,
): Promise<SaveCheckpointResult> {
  const { signal, onProgress, allowNonFinite, overwrite, durable } = options;
  signal?.throwIfAborted();
  const plan =
    format === "gguf"
      ? planGguf(checkpoint, options)
      : planArchive(checkpoint, format, options.dtype as DType | undefined);
  if (checkpoint.tensors.size === 0)
    throw new InputError(`Cannot write "${path}" as there must be tensors: "${checkpoint.source}" has none`, {
      input: checkpoint.source,
    });
  await assertNoInput([path], checkpoint.files);
  if (!overwrite) await assertNotThere(path);
  const created = await createFolder(dirname(path));
  let doneBytes = 0;
  const onBytes = (bytes: number): void => {
    doneBytes += bytes;
    onProgress?.({ done: Math.min(1, doneBytes / plan.bytes), doneBytes, totalBytes: plan.bytes });
  };
  try {
    await assertRoom({ place: { folder: dirname(path) }, bytes: plan.bytes });
    const file = await createOutputFile(path);
    try {
      await plan.write(createFileWriter(checkpoint, file, { allowNonFinite, signal, onBytes }));
      await file.finish(durable);
      await file.publish();
    } catch (error) {
      await file.discard();
      throw error;
    }
  } catch (error) {
    await removeFolders(created);
    throw error;
  }
  return { path, files: [path], bytes: doneBytes };
}
