import { encodeUtf8 } from "@isthmus/platform";
import { UnsupportedError } from "../../errors.ts";
import { MAX_SHARDS } from "../../io/limits.ts";
import type { FileWriter } from "../../save/file-writer.ts";
import { DTYPES, type DType } from "../../tensor/dtype.ts";
import { byteLengthOf, type TensorInfo, viewBytes } from "../../tensor/tensor.ts";

/** Maximum size of a file of weights in bytes, as in TensorFlow.js and its converter. */
const SHARD_BYTES = 2 ** 22;

/** A weight of a LayersModel that is to be written. */
export interface LayersWeight extends TensorInfo {
  /** Element type of the weight in TensorFlow.js. */
  readonly type: "float32" | "int32" | "bool";
  /** Whether the weight is stored in 16 bits, and expanded when it is loaded. */
  readonly isHalf: boolean;
}

/** Stored type and TensorFlow.js type of each element type; TensorFlow.js has few types. */
const STORED: Readonly<Partial<Record<DType, readonly [stored: DType, type: LayersWeight["type"]]>>> = {
  f32: ["f32", "float32"],
  f16: ["f16", "float32"],
  bf16: ["f32", "float32"],
  f8e4m3: ["f16", "float32"],
  f8e5m2: ["f16", "float32"],
  i32: ["i32", "int32"],
  i16: ["i32", "int32"],
  u16: ["i32", "int32"],
  i8: ["i32", "int32"],
  u8: ["i32", "int32"],
  bool: ["bool", "bool"],
};

/**
 * Chooses how a tensor is stored among the weights of a LayersModel: in its own type, or in the next type
 * that holds all its numbers.
 * @throws UnsupportedError if TensorFlow.js has no type that holds all numbers of the tensor
 */
export function layersWeight(
  name: string,
  { dtype, shape }: TensorInfo,
  target: DType | undefined,
): LayersWeight {
  const isFloat = DTYPES[dtype].float;
  const choice = STORED[target !== undefined && isFloat ? target : dtype];
  if (choice === undefined) {
    throw new UnsupportedError(
      `Cannot write "${name}" as TensorFlow.js must have a type for its elements: they are ${dtype}; ${isFloat ? "choose --dtype f32, which rounds them" : "leave the tensor out"}`,
      { feature: `${dtype} in TensorFlow.js` },
    );
  }
  const [stored, type] = choice;
  return { dtype: stored, shape, type, isHalf: stored === "f16" };
}

/** The files of a LayersModel that is to be written. */
export interface LayersModelLayout {
  /** Names of the files of weights, in order. */
  readonly shards: readonly string[];
  /** Size of each file of weights except the last, in bytes. */
  readonly shardBytes: number;
  /** Content of `model.json`. */
  readonly json: Uint8Array;
  /** Bytes of all files. */
  readonly bytes: number;
}

/**
 * Lays out weights in files of equal size, except for the last, and describes them in a manifest. The model
 * has no topology, as checkpoints have none.
 * @param stem - name of the manifest without its ending; it distinguishes the files of several models in a
 *   folder
 * @param maxShardBytes - maximum size of a file in bytes; infinite for the default of TensorFlow.js
 */
export function layOutLayersModel(
  weights: ReadonlyMap<string, LayersWeight>,
  { stem, maxShardBytes }: { readonly stem: string; readonly maxShardBytes: number },
): LayersModelLayout {
  const total = [...weights.values()].reduce((sum, weight) => sum + byteLengthOf(weight), 0);
  const asked = Number.isFinite(maxShardBytes) ? Math.floor(maxShardBytes) : SHARD_BYTES;
  const shardBytes = Math.max(asked, Math.ceil(total / MAX_SHARDS));
  const count = Math.max(1, Math.ceil(total / shardBytes));
  const prefix = stem === "model" ? "" : `${stem}-`;
  const shards = Array.from({ length: count }, (_, i) => `${prefix}group1-shard${i + 1}of${count}.bin`);
  const manifest = [...weights].map(([name, { shape, type, isHalf }]) => ({
    name,
    shape,
    dtype: type,
    ...(isHalf ? { quantization: { dtype: "float16", original_dtype: "float32" } } : {}),
  }));
  const model = {
    format: "layers-model",
    generatedBy: "Isthmus",
    convertedBy: "Isthmus",
    modelTopology: null,
    weightsManifest: [{ paths: shards, weights: manifest }],
  };
  const json = encodeUtf8(`${JSON.stringify(model)}\n`);
  return { shards, shardBytes, json, bytes: total + json.length };
}

/** Writes weights one after another, without gaps, as the manifest states. */
export async function writeLayersWeights(
  weights: ReadonlyMap<string, LayersWeight>,
  writer: Pick<FileWriter, "appendTensor">,
): Promise<void> {
  for (const [name, { dtype }] of weights) await writer.appendTensor({ name, dtype }, viewBytes);
}
