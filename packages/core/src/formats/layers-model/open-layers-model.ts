import { dirname, join } from "@isthmus/platform";
import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { defineCheckpoint } from "../../checkpoint/define-checkpoint.ts";
import { FormatError, UnsupportedError } from "../../errors.ts";
import { entry } from "../../invariant.ts";
import type { ByteSource } from "../../io/byte-source.ts";
import { openFileSource } from "../../io/file-source.ts";
import { MAX_RANK, MAX_SHARDS, MAX_TENSORS } from "../../io/limits.ts";
import { excerpt } from "../../json/excerpt.ts";
import { convertInto } from "../../tensor/convert.ts";
import { DTYPES, type DType, type TensorData } from "../../tensor/dtype.ts";
import { sizeOf } from "../../tensor/shape.ts";
import { allocateData, type TensorInfo, viewBytes } from "../../tensor/tensor.ts";
import { formatErrors } from "../format-errors.ts";

const formatError = formatErrors("layers-model");

/** A file of weights, and the position in its group at which it begins, in bytes. */
interface Shard {
  readonly source: ByteSource;
  readonly begin: number;
}

interface OpenWeight extends StoredWeight {
  readonly shards: readonly Shard[];
}

/**
 * Opens the weights of a TensorFlow.js LayersModel, whose manifest is part of `model.json`. Weights that are
 * stored in fewer bits are expanded when they are read.
 *
 *
 * @param path - path of `model.json`; the files of weights are in the same folder
 * @param manifest - value of its field `weightsManifest`
 * @throws FormatError if the manifest is malformed, or the files do not have the length it requires
 * @throws InputError if a file is missing
 * @throws UnsupportedError if a weight has an unsupported element type
 */
export async function openLayersModel(path: string, manifest: unknown): Promise<Checkpoint> {
  const groups = parseManifest(manifest, path);
  const weights = new Map<string, OpenWeight>();
  const sources: ByteSource[] = [];
  const close = async () => {
    for (const source of sources) await source.close();
  };
  try {
    for (const group of groups) {
      const shards = await openShards(path, group, sources);
      for (const [name, weight] of group.weights) weights.set(name, { ...weight, shards });
    }
  } catch (error) {
    await close();
    throw error;
  }
  return defineCheckpoint({
    source: path,
    tensors: new Map([...weights].map(([name, { dtype, shape }]) => [name, { dtype, shape }])),
    files: [path, ...sources.map(({ name }) => name)],
    async readInto(name, begin, out) {
      await readWeight(entry(weights, name, "weight"), begin, out);
    },
    close,
  });
}

async function openShards(
  path: string,
  { files, bytes }: WeightGroup,
  sources: ByteSource[],
): Promise<Shard[]> {
  const shards: Shard[] = [];
  let begin = 0;
  for (const file of files) {
    const source = await openFileSource(join(dirname(path), file), dirname(path));
    sources.push(source);
    shards.push({ source, begin });
    begin += source.size;
  }
  if (begin === bytes) return shards;
  throw new FormatError(
    `Cannot read "${path}" as the files of a group must be as long as its weights: ${files.join(", ")} have ${begin} bytes, the weights ${bytes}`,
    { format: "layers-model" },
  );
}

async function readWeight(weight: OpenWeight, begin: number, out: TensorData): Promise<void> {
  const { stored, quantization, dtype } = weight;
  const first = weight.begin + begin * DTYPES[stored].bytes;
  if (stored === dtype) return readBytes(weight.shards, first, viewBytes(out));
  const data = allocateData(stored, out.length);
  await readBytes(weight.shards, first, viewBytes(data));
  if (quantization === undefined) return convertInto({ dtype: stored, data }, { dtype, data: out });
  const { scale, min } = quantization;
  const values = Float64Array.from(data as Uint8Array, (value) => value * scale + min);
  convertInto({ dtype: "f64", data: values }, { dtype, data: out });
}

/** Fills `out` with bytes from `begin` on of all shards joined. */
async function readBytes(shards: readonly Shard[], begin: number, out: Uint8Array): Promise<void> {
  for (const { source, begin: shardBegin } of shards) {
    const from = Math.max(begin, shardBegin);
    const to = Math.min(begin + out.length, shardBegin + source.size);
    if (from < to) await source.readInto(from - shardBegin, out.subarray(from - begin, to - begin));
  }
}

/** Mapping from stored integers to the numbers of a weight: `value = scale * stored + min`. */
interface Quantization {
  readonly scale: number;
  readonly min: number;
}

/** A weight with its encoding, and the position of its bytes in their group. */
interface StoredWeight extends TensorInfo {
  /** Element type in the file. */
  readonly stored: DType;
  readonly quantization?: Quantization;
  readonly begin: number;
}

/** Weights that are stored one after another in several consecutive files. */
interface WeightGroup {
  readonly files: readonly string[];
  readonly weights: ReadonlyMap<string, StoredWeight>;
  /** Bytes of all files together. */
  readonly bytes: number;
}

/** Element types of weights by their names in a manifest. */
const TYPES: Readonly<Record<string, DType>> = {
  float32: "f32",
  int32: "i32",
  bool: "bool",
  uint8: "u8",
  uint16: "u16",
  float16: "f16",
};

/**
 * Checks a weights manifest, `[{paths, weights: [{name, shape, dtype, quantization?}]}]`.
 *
 * @param source - name of the file, for messages
 * @throws FormatError if the manifest is malformed, names files outside its folder, or names a weight or a
 *   file twice
 * @throws UnsupportedError if a weight has an unsupported element type
 */
function parseManifest(manifest: unknown, source: string): WeightGroup[] {
  if (!Array.isArray(manifest)) throw formatError(source, "weightsManifest must be a list: it is not");
  const names = new Set<string>();
  const groups = manifest.map((group: unknown) => parseGroup(group, source, names));
  const files = groups.flatMap((group) => group.files);
  if (files.length > MAX_SHARDS) {
    throw formatError(
      source,
      `there may be at most ${MAX_SHARDS} files of weights: there are ${files.length}`,
    );
  }
  const repeated = files.find((file, i) => files.indexOf(file) !== i);
  if (repeated === undefined) return groups;
  throw formatError(source, `each file of weights must be named once: "${repeated}" is there twice`);
}

function parseGroup(group: unknown, source: string, names: Set<string>): WeightGroup {
  const { paths, weights } = isObject(group) ? group : {};
  if (!Array.isArray(paths) || !Array.isArray(weights) || names.size + weights.length > MAX_TENSORS) {
    throw formatError(
      source,
      `every group of weights must have paths and at most ${MAX_TENSORS} weights: one has not`,
    );
  }
  const parsed = new Map<string, StoredWeight>();
  let begin = 0;
  for (const entry of weights as readonly unknown[]) {
    const { name, ...weight } = parseWeight(entry, source);
    if (names.has(name)) throw formatError(source, `names of weights must differ: "${name}" is there twice`);
    names.add(name);
    parsed.set(name, { ...weight, begin });
    begin += sizeOf(weight.shape) * DTYPES[weight.stored].bytes;
    if (!Number.isSafeInteger(begin))
      throw formatError(source, `sizes must be possible: those of "${name}" are not`);
  }
  return {
    files: (paths as readonly unknown[]).map((path) => parsePath(path, source)),
    weights: parsed,
    bytes: begin,
  };
}

/** Checks that a path is a plain name, so that a model cannot make us read files elsewhere. */
function parsePath(path: unknown, source: string): string {
  if (typeof path === "string" && /^[^/\\\0]+$/.test(path) && path !== "." && path !== "..") return path;
  throw formatError(source, `weights must be in files beside the model: they are in ${excerpt(path)}`);
}

function parseWeight(
  entry: unknown,
  source: string,
): Omit<StoredWeight, "begin"> & { readonly name: string } {
  const { name, shape, dtype, quantization } = isObject(entry) ? entry : {};
  const isExtent = (extent: unknown) => Number.isSafeInteger(extent) && (extent as number) >= 0;
  if (
    typeof name !== "string" ||
    !Array.isArray(shape) ||
    shape.length > MAX_RANK ||
    !shape.every(isExtent)
  ) {
    throw formatError(source, `a weight must have a name and a shape: got ${excerpt(entry)}`);
  }
  const weight = { name, shape: shape as number[], dtype: typeOf(dtype, name, source) };
  if (quantization === undefined) return { ...weight, stored: weight.dtype };
  return { ...weight, ...parseQuantization(quantization, name, source) };
}

function parseQuantization(
  quantization: unknown,
  name: string,
  source: string,
): Pick<StoredWeight, "stored" | "quantization"> {
  const { dtype, scale, min } = isObject(quantization) ? quantization : {};
  const stored = typeOf(dtype, name, source);
  if (stored === "f16") return { stored };
  const hasScale = Number.isFinite(scale) && Number.isFinite(min);
  if (hasScale && (stored === "u8" || stored === "u16")) {
    return { stored, quantization: { scale: scale as number, min: min as number } };
  }
  throw formatError(
    source,
    `"${name}" must be quantised to float16, or to uint8 or uint16 by a scale and a minimum: it is not`,
  );
}

function typeOf(dtype: unknown, name: string, source: string): DType {
  const type = typeof dtype === "string" && Object.hasOwn(TYPES, dtype) ? TYPES[dtype] : undefined;
  if (type !== undefined) return type;
  if (typeof dtype !== "string")
    throw formatError(source, `"${name}" must have an element type: it has none`);
  throw new UnsupportedError(
    `Cannot read "${name}" of "${source}" as its element type must be one of ${Object.keys(TYPES).join(", ")}: it is ${dtype}`,
    { feature: dtype },
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
