import { dirname, extname, join } from "@isthmus/platform";
import type { Checkpoint } from "./checkpoint/checkpoint.ts";
import { InputError, OutOfRangeError, UsageError } from "./errors.ts";
import { GGUF_ENCODINGS, type GgufEncoding, isGgufEncoding } from "./formats/gguf/gguf-encodings.ts";
import type { Importance } from "./formats/gguf/read-importance.ts";
import { assertGgufFloat } from "./formats/gguf/write-gguf.ts";
import { numpyType } from "./formats/npz/write-npz.ts";
import {
  isScaledEncoding,
  SCALED_ENCODINGS,
  type ScaledEncoding,
  scaleFloats,
} from "./formats/quantized/write-scaled-floats.ts";
import { at } from "./invariant.ts";
import { assertNoInput } from "./io/assert-no-input.ts";
import { createFolder, removeFolders } from "./io/create-folder.ts";
import { createOutputFile, type OutputFile } from "./io/output-file.ts";
import { openCheckpoint } from "./open-checkpoint.ts";
import { resolveOptions } from "./options.ts";
import { createFileWriter } from "./save/file-writer.ts";
import { isDirectory } from "./save/output-paths.ts";
import { planConversion } from "./save/plan-conversion.ts";
import { assertNotThere, assertRoom } from "./save/plan-save.ts";
import { publishFiles } from "./save/publish-files.ts";
import {
  SAVE_CHECKPOINT_DEFAULTS,
  type SaveCheckpointOptions,
  type SaveCheckpointResult,
  saveCheckpoint,
} from "./save-checkpoint.ts";
import { DTYPES, type DType, isDType } from "./tensor/dtype.ts";

/** Formats in which checkpoints can be written. */
export const WRITTEN_FORMATS = ["safetensors", "torch", "npz", "gguf", "tfjs"] as const;

/** A format in which checkpoints can be written. */
export type WrittenFormat = (typeof WRITTEN_FORMATS)[number];

/** Options of {@link convertCheckpoint}. */
export interface ConvertCheckpointOptions
  extends Omit<SaveCheckpointOptions, "dtype" | "chunkBytes" | "buffers"> {
  /**
   * Element type of all floating-point tensors; in GGUF also a quantised encoding such as `q8_0` or `q4_k_m`,
   * and in safetensors `fp8_scaled`. Integers and `bool` are not converted. @defaultValue unchanged
   */
  readonly dtype?: DType | GgufEncoding | ScaledEncoding | undefined;
  /**
   * Importance of the columns of matrices, for a quantised encoding of GGUF: errors of important columns are
   * kept smaller. @defaultValue all columns count as much
   */
  readonly importance?: Importance | undefined;
  /**
   * Called with a sentence for each tensor of a quantised GGUF file that has another type than the encoding
   * asks for, as its rows have no whole blocks. @defaultValue not told
   */
  readonly onNote?: ((note: string) => void) | undefined;
  /**
   * Format of the output. @defaultValue the format that the path's extension names; safetensors for a folder
   */
  readonly format?: WrittenFormat | undefined;
}

/** Defaults of {@link convertCheckpoint}. */
const CONVERT_CHECKPOINT_DEFAULTS: Required<ConvertCheckpointOptions> = {
  ...withoutStreaming(SAVE_CHECKPOINT_DEFAULTS),
  dtype: undefined,
  importance: undefined,
  onNote: undefined,
  format: undefined,
};

/**
 * Writes a checkpoint in another format: safetensors, a file of PyTorch (`.pt`, `.pth`, `.bin`), an archive
 * of NumPy (`.npz`), GGUF, or the weights of a LayersModel of TensorFlow.js (`.json`, with files beside it).
 *
 * Tensors are read and written range by range, so memory does not grow with the checkpoint. The file has a
 * temporary name until it is complete. Metadata are kept, except in files of NumPy, PyTorch and
 * TensorFlow.js, which have none. Types that a format lacks become the next type that holds all their
 * numbers: bf16 becomes f32 in npz, `bool` becomes i8 in GGUF, small integers become i32 in TensorFlow.js. In
 * GGUF, if `dtype` names a narrower type, floats with at most one axis become f32, as llama.cpp requires. A
 * quantised encoding gives each matrix the type that llama.cpp gives it, bit for bit: more bits to some,
 * floats to norms and routers, blocks of 32 or f16 to rows that blocks of 256 do not divide. The encoding
 * `fp8_scaled` stores weights that are matrices as 8-bit floats with a scale each, for ComfyUI, and keeps
 * embeddings and other tensors.
 * @param input - path of a checkpoint of any format, or an open one, which stays open
 * @param output - path to write: its ending names the format; a folder is for safetensors
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
  const format = resolved.format ?? (await formatOf(output));
  assertOptions(format, resolved, output);
  const checkpoint = typeof input === "string" ? await openCheckpoint(input) : input;
  try {
    const { dtype, ...others } = resolved;
    const { format: _format, importance: _importance, onNote: _onNote, ...saving } = others;
    if (isScaledEncoding(dtype)) return await saveCheckpoint(scaleFloats(checkpoint), output, saving);
    if (format === "safetensors")
      return await saveCheckpoint(checkpoint, output, { ...saving, dtype: dtype as DType | undefined });
    const isInFolder = format === "tfjs" && (output.endsWith("/") || (await isDirectory(output)));
    const path = isInFolder ? join(output, "model.json") : output;
    return await writeFiles(checkpoint, path, format, { ...others, dtype });
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

/** Endings of all formats, for messages. */
const ENDINGS = ".safetensors, .pt, .pth, .bin, .ckpt, .npz, .gguf, and .json for TensorFlow.js";

/**
 * Finds the format of an output path. The format of a file follows from its ending; a folder is for
 * safetensors.
 *
 * A path is a folder if it has no ending, ends in a slash, or is an existing folder. An ending must be a
 * word: `llama-3.1` has none.
 * @throws UsageError if no format has the ending
 */
async function formatOf(output: string): Promise<WrittenFormat> {
  const extension = extname(output).slice(1).toLowerCase();
  if (/[\\/]$/.test(output) || !/^[a-z][a-z\d_]*$/.test(extension)) return "safetensors";
  if (TORCH_EXTENSIONS.has(extension)) return "torch";
  if (extension === "json") return "tfjs";
  const format = WRITTEN_FORMATS.find((one) => one === extension);
  if (format !== undefined && format !== "tfjs") return format;
  if (await isDirectory(output)) return "safetensors";
  throw new UsageError(
    `Cannot write "${output}" as its ending must be one of ${ENDINGS}: it is .${extension}; name "${output}/" for a folder of safetensors`,
  );
}

function assertOptions(
  format: WrittenFormat,
  { dtype, importance, maxShardBytes }: Options,
  output: string,
): void {
  const fail = (problem: string): UsageError => new UsageError(`Cannot write "${output}" as ${problem}`);
  if (!WRITTEN_FORMATS.includes(format))
    throw fail(`the format must be one of ${WRITTEN_FORMATS.join(", ")}: it is "${format}"`);
  const isQuantized = isGgufEncoding(dtype);
  assertEncoding(dtype, format, fail);
  if (importance !== undefined && !isQuantized)
    throw fail(`an importance matrix needs a quantised encoding: add one, such as q4_k_m, as the type`);
  if (dtype !== undefined && isDType(dtype)) assertType(format, dtype, output);
  if (!(maxShardBytes >= 1))
    throw new OutOfRangeError(
      `Cannot write "${output}" as maxShardBytes must be at least 1: it is ${maxShardBytes}`,
    );
  if ((format === "torch" || format === "npz") && maxShardBytes !== Number.POSITIVE_INFINITY)
    throw fail(`only safetensors, gguf and tfjs are written in shards: the format is ${format}`);
}

/**
 * Checks that a name is that of a type of floats, or of an encoding of the format.
 * @throws the error that `fail` makes if not
 */
function assertEncoding(
  dtype: string | undefined,
  format: WrittenFormat,
  fail: (problem: string) => UsageError,
): void {
  if (dtype === undefined || (isDType(dtype) && DTYPES[dtype].float)) return;
  const of = isGgufEncoding(dtype) ? "gguf" : isScaledEncoding(dtype) ? "safetensors" : undefined;
  if (of === undefined)
    throw fail(
      `"dtype" must be a floating-point type, in GGUF one of ${GGUF_ENCODINGS.join(", ")}, or in safetensors ${SCALED_ENCODINGS.join(", ")}: it is "${dtype}"`,
    );
  if (of === format) return;
  throw fail(
    `${dtype} is ${of === "gguf" ? "a type of GGUF" : "an encoding of safetensors"}: the format is ${format}`,
  );
}

/** @throws UsageError if the format has no such element type */
function assertType(format: WrittenFormat, dtype: DType, output: string): void {
  const fail = (name: string, types: string): UsageError =>
    new UsageError(
      `Cannot write "${output}" as ${name} must have the element type: it has no ${dtype}; choose ${types}`,
    );
  if (format === "gguf") assertGgufFloat(output, dtype);
  if (format === "npz" && numpyType(dtype) !== dtype) throw fail("NumPy", "f16, f32 or f64");
  if (format === "tfjs" && dtype !== "f16" && dtype !== "f32") throw fail("TensorFlow.js", "f16 or f32");
}

async function writeFiles(
  checkpoint: Checkpoint,
  path: string,
  format: Exclude<WrittenFormat, "safetensors">,
  options: Options & { readonly dtype: DType | GgufEncoding | undefined },
): Promise<SaveCheckpointResult> {
  const { signal, onProgress, allowNonFinite, overwrite, durable } = options;
  signal?.throwIfAborted();
  if (checkpoint.tensors.size === 0)
    throw new InputError(`Cannot write "${path}" as there must be tensors: "${checkpoint.source}" has none`, {
      input: checkpoint.source,
    });
  const plan = await planConversion(checkpoint, path, format, options);
  await assertNoInput([...plan.paths, ...plan.earlier], checkpoint.files);
  if (!overwrite) for (const file of [...plan.paths, ...plan.earlier]) await assertNotThere(file);
  const folder = dirname(path);
  const created = await createFolder(folder);
  let doneBytes = 0;
  const onBytes = (bytes: number): void => {
    doneBytes += bytes;
    onProgress?.({ done: Math.min(1, doneBytes / plan.bytes), doneBytes, totalBytes: plan.bytes });
  };
  const files: OutputFile[] = [];
  try {
    await assertRoom({ path, place: { folder }, bytes: plan.bytes });
    await plan.write({
      durable,
      async create(name) {
        const file = await createOutputFile(name);
        files.push(file);
        return file;
      },
      append: (file) => createFileWriter(checkpoint, file, { allowNonFinite, signal, onBytes }),
    });
    await publishFiles(files, plan.earlier, durable);
  } catch (error) {
    for (const file of files) await file.discard();
    await removeFolders(created);
    throw error;
  }
  return { path: at(plan.paths, plan.paths.length - 1, "file"), files: plan.paths, bytes: doneBytes };
}
