import { dirname, join } from "node:path";
import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { defineCheckpoint } from "../../checkpoint/define-checkpoint.ts";
import { FormatError } from "../../errors.ts";
import { entry } from "../../invariant.ts";
import type { ByteSource } from "../../io/byte-source.ts";
import { openFileSource } from "../../io/file-source.ts";
import { convertInto } from "../../tensor/convert.ts";
import { DTYPES, type TensorData } from "../../tensor/dtype.ts";
import { allocateData, viewBytes } from "../../tensor/tensor.ts";
import { parseManifest, type StoredWeight, type WeightGroup } from "./parse-manifest.ts";

/** A file of weights, and at which byte of its group it begins. */
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
 * @param path - path of `model.json`, beside which the files of weights are
 * @param manifest - value of its field `weightsManifest`
 * @throws FormatError if the manifest is malformed, or the files do not have the length it requires
 * @throws InputError if a file is missing
 * @throws UnsupportedError if a weight has an element type that is not handled
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
    const source = await openFileSource(join(dirname(path), file));
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
