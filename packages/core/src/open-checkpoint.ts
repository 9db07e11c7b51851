import { basename, dirname, join, readdir, stat } from "@isthmus/platform";
import type { Checkpoint } from "./checkpoint/checkpoint.ts";
import { FormatError, InputError } from "./errors.ts";
import { detectFormat } from "./formats/detect-format.ts";
import { explainFolder } from "./formats/explain-folder.ts";
import { FILE_FORMATS } from "./formats/file-formats.ts";
import { FOLDER_FORMATS } from "./formats/folder-formats.ts";
import { findGgufShards, joinGgufShards } from "./formats/gguf/gguf-shards.ts";
import { openLayersModel } from "./formats/layers-model/open-layers-model.ts";
import { modelJsonOf } from "./formats/layers-model/read-model-json.ts";
import { readQuantized } from "./formats/quantized/read-quantized.ts";
import { readJsonDocument } from "./formats/read-json-document.ts";
import { DCP_CHUNKS, MODEL_OF_RANK } from "./formats/run-file-names.ts";
import { parseIndex } from "./formats/sharded/parse-index.ts";
import { chooseShards, isNumbered, joinShards, type Shard } from "./formats/sharded/shards.ts";
import { type AdaptedName, currentAdapters, splitAdaptedName } from "./io/adapted-name.ts";
import type { ByteSource } from "./io/byte-source.ts";
import { openFileSource } from "./io/file-source.ts";
import { hubNameOf, resolveModelPath } from "./io/hub-cache.ts";
import { MAX_SHARDS } from "./io/limits.ts";
import { leadsWithin } from "./io/model-folder.ts";
import { currentModelSource } from "./io/model-source.ts";
import { openError } from "./io/open-file.ts";

/**
 * Opens a checkpoint: a safetensors file, an index of shards (`*.index.json`), a folder with either, a file
 * that `torch.save` wrote, arrays of NumPy (`.npz`), a GGUF file, the initializers of an ONNX model, weights
 * of Flax or Keras 3, or the `model.json` of a TensorFlow.js LayersModel. The format is detected from the
 * content, never from the name. A folder may also be a checkpoint of a training run: of PyTorch's distributed
 * checkpoints, verl, DeepSpeed's ZeRO, Megatron-LM or Orbax.
 *
 * A name of the Hugging Face hub, `hub:owner/model`, `owner/model` or either with `@revision`, opens the
 * model that `hf download` put into the cache on this machine. Quantised tensors are dequantised: blocks of
 * GGUF to f32, 8-bit floats with scales beside them to bf16, weights of bitsandbytes, GPTQ, AWQ,
 * compressed-tensors and MXFP4 to the type that their scales or their description name.
 *
 * A name `model+adapter` opens the model with the adapter applied, if the work under way has a function for
 * that: see {@link withAdapters}.
 *
 * Reads headers only; tensors are read on demand. No code in the file is run, and every size that the file
 * claims is checked before use. A set of shards is opened as a whole or not at all. The checkpoint must be
 * closed after use.
 * @throws InputError if the file does not exist, its format is not supported, its shards are incomplete or
 *   just being replaced, or a link in a folder leads out of the folder.
 * @throws FormatError if the file is damaged, cut short, or claims more than it has.
 * @throws UnsupportedError if the file needs something unsupported: an element type, a Python class.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { openCheckpoint } from "@isthmus/core";
 *
 * const checkpoint = await openCheckpoint("examples/mnist-mlp/s0.safetensors"); // reads the header
 * assert.deepEqual(checkpoint.tensors.get("layers.0.weight")?.shape, [512, 784]);
 * const bias = await checkpoint.read("layers.0.bias"); // reads these elements
 * assert.equal(bias.data.length, 512);
 * await checkpoint.close();
 * ```
 */
export async function openCheckpoint(path: string): Promise<Checkpoint> {
  const adapted = await splitAdaptedName(path);
  if (adapted !== undefined) return openWithAdapter(path, adapted);
  const openByRange = currentModelSource()?.openByRange;
  const hub = openByRange === undefined ? undefined : await hubNameOf(path);
  if (openByRange !== undefined && hub !== undefined) return closeIfNotRead(await openByRange(hub));
  return closeIfNotRead(await openStored(await resolveModelPath(path)));
}

async function openWithAdapter(path: string, name: AdaptedName): Promise<Checkpoint> {
  const open = currentAdapters();
  if (open !== undefined) return open(name);
  throw new InputError(
    `Cannot open "${path}" as it must exist: there is no such file or folder; if "${name.adapter}" is an adapter of the model "${name.model}", open both by openAdapted of @isthmus/merging`,
    { input: path },
  );
}

/**
 * Opens a checkpoint as {@link openCheckpoint} does, if its file lies in a folder after all links are
 * resolved.
 * @throws InputError also if the file lies elsewhere
 */
export async function openCheckpointWithin(path: string, folder: string): Promise<Checkpoint> {
  return closeIfNotRead(await openStored(path, folder));
}

/** Dequantises packed weights; closes the checkpoint if they are damaged or of an unknown form. */
async function closeIfNotRead(checkpoint: Checkpoint): Promise<Checkpoint> {
  try {
    return await readQuantized(checkpoint);
  } catch (error) {
    await checkpoint.close();
    throw error;
  }
}

async function openStored(path: string, within?: string): Promise<Checkpoint> {
  if (await isFolder(path)) return openFolder(path);
  if (DCP_CHUNKS.test(path) || MODEL_OF_RANK.test(basename(path))) {
    throw new InputError(
      `Cannot open "${path}" as it is one part of a distributed checkpoint: name its folder, "${dirname(path)}"`,
      { input: path },
    );
  }
  const stamp = await stampOf(path);
  const source = await openFileSource(path, within);
  return closeOnFailure(source, async () => {
    const format = await detectFormat(source);
    if (format === "gguf") return openWithShards(path, await FILE_FORMATS.gguf(source, [path]));
    if (format !== "index") return FILE_FORMATS[format](source, [path]);
    const document = await readJsonDocument(source);
    await source.close();
    const model = modelJsonOf(document);
    if (model !== undefined) return openLayersModel(path, model.weightsManifest);
    const index = parseIndex(document);
    const names = [...new Set(index.values())].sort();
    const checkpoint = await openShards({
      source: path,
      folder: dirname(path),
      names,
      join: joinOf(path, index),
    });
    return closeUnless(checkpoint, stamp !== undefined && stamp === (await stampOf(path)));
  });
}

/**
 * Opens the checkpoint in a folder: of a training run, its index, or all its safetensors files together.
 */
async function openFolder(folder: string): Promise<Checkpoint> {
  const all = (await readdir(folder)).sort();
  const form = FOLDER_FORMATS.find(({ matches }) => matches(all));
  if (form !== undefined) return form.open(folder, all, (other) => openFolderWithin(other, folder));
  const { indexes, files, others } = await listFolder(folder);
  const [other] = others;
  if (indexes.length + files.length === 0 && other !== undefined) return openOther(folder, others);
  const [index] = indexes;
  if (indexes.length > 1) {
    const list = indexes.map((name) => `"${name}"`).join(", ");
    throw new InputError(
      `Cannot open "${folder}" as a folder must have one index: it has ${list}; name one of them`,
      { input: folder },
    );
  }
  if (index !== undefined) return openStored(join(folder, index), folder);
  const names = chooseShards(folder, files, files.length > 0 ? "" : await explainFolder(folder, all));
  const before = await stampsOf(folder, names);
  const checkpoint = await openShards({ source: folder, folder, names, join: joinOf(folder) });
  const now = await listFolder(folder);
  const isSame = before === (await stampsOf(folder, now.files)) && now.indexes.length === 0;
  return closeUnless(checkpoint, isSame);
}

/** Opens a folder to which a file of another one points, and which must lie in that one. */
async function openFolderWithin(other: string, folder: string): Promise<Checkpoint> {
  if (!(await isFolder(other)) || !(await leadsWithin(other, folder))) {
    throw new InputError(
      `Cannot open "${folder}" as it must hold the folder that it points to: "${other}" is not in it`,
      {
        input: folder,
      },
    );
  }
  return openFolder(other);
}

/** Opens all shards of a GGUF file of which one is open; a whole file is returned unchanged. */
async function openWithShards(path: string, opened: Checkpoint): Promise<Checkpoint> {
  const names = await findGgufShards(path, opened.metadata);
  if (names === undefined) return opened;
  await opened.close();
  const folder = dirname(path);
  const before = await stampsOf(folder, names);
  const join = (shards: readonly Shard[]): Checkpoint => joinGgufShards(path, shards);
  const checkpoint = await openShards({ source: path, folder, names, join });
  return closeUnless(checkpoint, before === (await stampsOf(folder, names)));
}

/**
 * Opens the single file of weights in a folder without safetensors files, the index of several, or the shards
 * of a GGUF file.
 */
async function openOther(folder: string, names: readonly string[]): Promise<Checkpoint> {
  const [first = ""] = names;
  if (names.length > 1 && names.every((name) => name.endsWith(".gguf")) && isNumbered(first)) {
    chooseShards(folder, names);
    return openStored(join(folder, first), folder);
  }
  const [index, ...indexes] = names.filter((name) => name.endsWith(".json"));
  const [name = "", ...rest] = index === undefined ? names : [index, ...indexes];
  if (rest.length === 0) return openStored(join(folder, name), folder);
  throw new InputError(
    `Cannot open "${folder}" as a folder without safetensors files must hold one file of weights: it holds ${names.join(", ")}; name one of them`,
    { input: folder },
  );
}

interface FolderListing {
  /** Indexes of safetensors files. */
  readonly indexes: readonly string[];
  /** Safetensors files. */
  readonly files: readonly string[];
  /** Weights in other formats, and indexes of them. */
  readonly others: readonly string[];
}

/** Pattern of names of weights in other formats than safetensors, and of their indexes. */
const OTHER = /^(.*\.(bin|pt|pth|ckpt|gguf|npz)|.*\.bin\.index\.json|model\.json)$/;

/** Pattern of names of PyTorch files that contain no weights. */
const NO_WEIGHTS = /^(training_args|optimizer|scheduler|rng_state.*|tokenizer.*)\./;

async function listFolder(folder: string): Promise<FolderListing> {
  const names = (await readdir(folder)).filter((name) => !name.startsWith(".")).sort();
  return {
    indexes: names.filter((name) => name.endsWith(".safetensors.index.json")),
    files: names.filter((name) => name.endsWith(".safetensors")),
    others: names.filter((name) => OTHER.test(name) && !NO_WEIGHTS.test(name)),
  };
}

/**
 * Returns a text that identifies the state of a file: it changes when the file is written to, and when
 * another file replaces it.
 * @returns undefined if the file does not exist
 */
async function stampOf(path: string): Promise<string | undefined> {
  const stats = await stat(path, { bigint: true }).catch(() => undefined);
  return stats && `${stats.dev}:${stats.ino}:${stats.size}:${stats.mtimeNs}`;
}

async function stampsOf(folder: string, names: readonly string[]): Promise<string> {
  const stamps = await Promise.all(names.map((name) => stampOf(join(folder, name))));
  return stamps.map((stamp, i) => `${names[i]} ${stamp}`).join("\n");
}

/**
 * Returns a checkpoint of several files if they were not replaced while they were opened one after another,
 * else closes it; replacements are noticed, as saving a checkpoint removes the earlier index first.
 * @throws InputError if the files are being replaced
 */
async function closeUnless(checkpoint: Checkpoint, isSame: boolean): Promise<Checkpoint> {
  if (isSame) return checkpoint;
  await checkpoint.close();
  throw new InputError(
    `Cannot open "${checkpoint.source}" as its files must stay as they are meanwhile: they are being replaced; open it once that is done`,
    { input: checkpoint.source },
  );
}

interface ShardList {
  readonly source: string;
  readonly folder: string;
  readonly names: readonly string[];
  /** Joins the opened shards. */
  readonly join: (shards: readonly Shard[]) => Checkpoint;
}

/** Returns the function that joins shards of safetensors, with their index if there is one. */
function joinOf(source: string, index?: ReadonlyMap<string, string>): ShardList["join"] {
  return (shards) => joinShards({ source, shards, index, files: index === undefined ? [] : [source] });
}

async function openShards({ source, folder, names, join: joinAll }: ShardList): Promise<Checkpoint> {
  if (names.length > MAX_SHARDS) {
    throw new FormatError(
      `Cannot open "${source}" as there may be ${MAX_SHARDS} shards: there are ${names.length}`,
      {
        format: "index",
      },
    );
  }
  const shards: Shard[] = [];
  try {
    for (const file of names)
      shards.push({ file, checkpoint: await openShard(join(folder, file), source, folder) });
    return joinAll(shards);
  } catch (error) {
    for (const { checkpoint } of shards) await checkpoint.close();
    throw error;
  }
}

async function openShard(path: string, index: string, folder: string): Promise<Checkpoint> {
  const source = await openFileSource(path, folder);
  return closeOnFailure(source, async () => {
    const format = await detectFormat(source);
    if (format !== "index") return FILE_FORMATS[format](source, [path]);
    throw new FormatError(
      `Cannot open "${index}" as shards must hold tensors: "${path}" is an index itself`,
      {
        format: "index",
      },
    );
  });
}

async function closeOnFailure(source: ByteSource, use: () => Promise<Checkpoint>): Promise<Checkpoint> {
  try {
    return await use();
  } catch (error) {
    await source.close();
    throw error;
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    throw openError(path, error);
  }
}
