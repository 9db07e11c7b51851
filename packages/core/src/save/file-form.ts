import type { TensorInfo } from "../tensor/tensor.ts";
import type { OutputPlace } from "./output-paths.ts";

/** Encoding by which a file stores the elements of a tensor in other bytes, as plain data. */
export interface TensorEncoding {
  /** Number of the type in GGUF, such as 8 for Q8_0. */
  readonly number: number;
  /** Weight of each column of each matrix for the rounding, `[matrices * columns]`; undefined without. */
  readonly importance?: Float32Array | undefined;
}

/** A tensor, and its place in a file that is to be written. */
export interface PlacedTensor extends TensorInfo {
  /** Position of the tensor's first byte in the file. */
  readonly begin: number;
  /** Encoding of the elements. @defaultValue the bytes of the elements, one after the other */
  readonly encoding?: TensorEncoding | undefined;
}

/** First bytes of a file that is to be written, and the places of its tensors. */
export interface FileLayout<T extends PlacedTensor = PlacedTensor> {
  /** Bytes before the tensors. */
  readonly header: Uint8Array;
  /** Tensors in the order of their bytes. */
  readonly tensors: ReadonlyMap<string, T>;
  /** Size of the whole file in bytes. */
  readonly size: number;
}

/** All files of a checkpoint that is to be written. */
export interface LaidOutFiles<L extends FileLayout = FileLayout> {
  /** Files in the order of their names, each with its final path. */
  readonly shards: ReadonlyArray<{ readonly path: string; readonly layout: L }>;
  /** Index of several files, if the form has one. */
  readonly index: { readonly path: string; readonly json: Uint8Array } | undefined;
}

/** Options by which tensors are divided among files. */
export interface LayOutOptions {
  /** Metadata of the checkpoint. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Maximum size of the tensors in one file, in bytes. */
  readonly maxShardBytes: number;
}

/** A form of files in which a checkpoint is stored, such as safetensors. */
export interface FileForm<L extends FileLayout = FileLayout> {
  /** Text that differs between forms that store the same tensors by other bytes. */
  readonly identity: string;
  /**
   * Resolves the path to save to.
   * @param inputs - paths of the files that the checkpoint is read from; new ones in a folder are named alike
   * @throws InputError if files of the form cannot have that path
   */
  placeOf(path: string, inputs?: readonly string[]): Promise<OutputPlace>;
  /** Lays out files without reading tensors; the same arguments give the same files. */
  layOut(
    tensors: ReadonlyMap<string, TensorInfo>,
    place: OutputPlace,
    options: LayOutOptions,
  ): LaidOutFiles<L>;
}

/** Paths of files in the order in which they get their names: the one by which all are opened is the last. */
export function publishingOrder({ shards, index }: LaidOutFiles): readonly string[] {
  const [first, ...others] = shards.map(({ path }) => path);
  if (first === undefined) return [];
  return index === undefined ? [...others, first] : [first, ...others, index.path];
}
