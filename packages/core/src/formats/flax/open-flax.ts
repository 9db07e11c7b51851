import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { UnsupportedError } from "../../errors.ts";
import type { ByteSource } from "../../io/byte-source.ts";
import { MAX_NESTING, MAX_RANK } from "../../io/limits.ts";
import { excerpt } from "../../json/excerpt.ts";
import { DTYPES, type DType } from "../../tensor/dtype.ts";
import { sizeOf } from "../../tensor/shape.ts";
import { viewBytes } from "../../tensor/tensor.ts";
import { defineJoinedCheckpoint, type JoinedTensor } from "../pieces/define-joined-checkpoint.ts";
import { readInSequence } from "../pieces/read-in-sequence.ts";
import { collectLeaves } from "../torch/collect-tensors.ts";
import { dtypeNamed } from "../torch/globals.ts";
import { PickleDict } from "../torch/pickle/values.ts";
import { flaxError, MsgpackCursor, type MsgpackHead } from "./msgpack-cursor.ts";

/** Extension types of `flax.serialization`: an array, and a scalar of NumPy. */
const ARRAY_TYPES: readonly number[] = [1, 3];

/** Key by which Flax marks an array of more than 1 GiB, which it stores in chunks. */
const CHUNKED = "__msgpack_chunked_array__";

/** Longest key, in bytes. */
const MAX_KEY_BYTES = 65_536;

/** An array of a file: where its elements are, in order. */
class FlaxArray {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly parts: readonly { readonly begin: number; readonly length: number }[];
  constructor(dtype: DType, shape: readonly number[], parts: FlaxArray["parts"]) {
    this.dtype = dtype;
    this.shape = shape;
    this.parts = parts;
  }
}

/**
 * Opens a file that `flax.serialization` wrote, such as `flax_model.msgpack`: nested dictionaries of arrays
 * in MessagePack. Names are the keys on the path to an array, joined by dots; the state of an optimizer is
 * left out if weights are beside it. Only heads are read now, and arrays by range.
 *
 * The checkpoint owns `source` and closes it; on failure the caller must close it.
 * @param files - paths to report as read
 * @throws FormatError if the file is damaged, or claims more than it has
 * @throws UnsupportedError if elements have an unsupported type
 */
export async function openFlax(source: ByteSource, files: readonly string[] = []): Promise<Checkpoint> {
  const reader = new FlaxReader(source);
  const value = await reader.value(0);
  if (reader.cursor.offset !== source.size)
    throw flaxError(source, `it must end with its value: ${source.size - reader.cursor.offset} bytes follow`);
  const arrays = collectLeaves(value, source.name, (one): one is FlaxArray => one instanceof FlaxArray);
  return defineJoinedCheckpoint({
    format: "flax",
    source: source.name,
    tensors: new Map([...arrays].map(([name, array]) => [name, joinArray(array, source)])),
    files,
    close: () => source.close(),
  });
}

function joinArray({ dtype, shape, parts }: FlaxArray, source: ByteSource): JoinedTensor {
  const { bytes } = DTYPES[dtype];
  const read = readInSequence(
    parts.map(({ begin, length }) => ({
      length: length / bytes,
      read: (from, out) => source.readInto(begin + from * bytes, viewBytes(out)),
    })),
  );
  return { dtype, shape, pieces: [{ offsets: shape.map(() => 0), sizes: shape, origin: source.name, read }] };
}

class FlaxReader {
  readonly cursor: MsgpackCursor;
  readonly #source: ByteSource;
  /** How many more dictionaries and lists the file may have: each takes memory, but may take one byte. */
  #containers: number;

  constructor(source: ByteSource) {
    this.#source = source;
    this.cursor = new MsgpackCursor(source);
    this.#containers = 10_000 + source.size / 64;
  }

  /** Reads the value at the cursor; scalars and text are null. */
  async value(level: number): Promise<unknown> {
    const head = await this.cursor.head();
    if (head.kind === "map" || head.kind === "array") return this.#container(head, level);
    if (head.kind === "ext" && ARRAY_TYPES.includes(head.type)) return this.#array(head.length);
    if (head.kind !== "int") this.cursor.skip(head.length);
    return null;
  }

  async #container(
    { kind, length }: Extract<MsgpackHead, { length: number }>,
    level: number,
  ): Promise<unknown> {
    if (level >= MAX_NESTING)
      throw flaxError(this.#source, `values may be nested ${MAX_NESTING} deep: there are more levels`);
    if (--this.#containers < 0)
      throw flaxError(this.#source, "it may have a dictionary or list for 64 bytes: it has more");
    const container = new PickleDict();
    for (let i = 0; i < length; i++) {
      const key = kind === "map" ? await this.#key() : i;
      if (key === CHUNKED && i === 0) return this.#chunked(length, level);
      const value = await this.value(level + 1);
      if (value === null) continue;
      if (container.entries.has(key))
        throw flaxError(this.#source, `keys must differ: ${excerpt(key)} is there twice`);
      container.entries.set(key, value);
    }
    return container;
  }

  async #key(): Promise<string> {
    const head = await this.cursor.head();
    if (head.kind === "int") return String(head.value);
    if (head.kind !== "str" || head.length > MAX_KEY_BYTES)
      throw flaxError(
        this.#source,
        `keys must be text of at most ${MAX_KEY_BYTES} bytes: one before byte ${this.cursor.offset} is not`,
      );
    return this.cursor.text(head.length);
  }

  /** Reads an array of extension type 1: `[shape, name of the type, bytes]`. */
  async #array(length: number): Promise<FlaxArray> {
    const begin = this.cursor.offset;
    this.cursor.skip(length);
    const end = this.cursor.offset;
    const inner = new MsgpackCursor(this.#source, begin, end);
    const fail = () =>
      flaxError(this.#source, `the array at byte ${begin} must be a shape, a type and bytes: it is not`);
    const outer = await inner.head();
    const extents = await inner.head();
    if (outer.kind !== "array" || outer.length !== 3 || extents.kind !== "array" || extents.length > MAX_RANK)
      throw fail();
    const shape: number[] = [];
    for (let axis = 0; axis < extents.length; axis++) {
      const extent = await inner.head();
      if (extent.kind !== "int" || !Number.isSafeInteger(extent.value)) throw fail();
      shape.push(extent.value);
    }
    const name = await inner.head();
    if (name.kind !== "str" || name.length > 64) throw fail();
    const dtype = this.#dtype(await inner.text(name.length));
    const data = await inner.head();
    if (data.kind !== "bin" || inner.offset + data.length !== end) throw fail();
    if (sizeOf(shape) * DTYPES[dtype].bytes !== data.length)
      throw flaxError(
        this.#source,
        `the array at byte ${begin} must have as many bytes as ${dtype} [${shape}]: it has ${data.length}`,
      );
    return new FlaxArray(dtype, shape, [{ begin: inner.offset, length: data.length }]);
  }

  #dtype(name: string): DType {
    const dtype = dtypeNamed(name);
    if (dtype !== undefined) return dtype;
    throw new UnsupportedError(
      `Cannot read "${this.#source.name}" as elements must be of a type of PyTorch or safetensors: an array has ${excerpt(name)}`,
      { feature: name },
    );
  }

  /** Reads the rest of an array in chunks: a mark, the shape, and chunks of the flattened array by number. */
  async #chunked(length: number, level: number): Promise<FlaxArray> {
    await this.value(level + 1);
    const shape: number[] = [];
    let chunks: readonly FlaxArray[] = [];
    for (let i = 1; i < length; i++) {
      const key = await this.#key();
      if (key === "shape") await this.#shapeInto(shape);
      else if (key === "chunks") chunks = chunksOf(await this.value(level + 1));
      else await this.value(level + 1);
    }
    const [first] = chunks;
    const parts = chunks.flatMap((chunk) => chunk.parts);
    const bytes = parts.reduce((sum, part) => sum + part.length, 0);
    if (
      first !== undefined &&
      chunks.every(({ dtype }) => dtype === first.dtype) &&
      sizeOf(shape) * DTYPES[first.dtype].bytes === bytes
    )
      return new FlaxArray(first.dtype, shape, parts);
    throw flaxError(
      this.#source,
      `the chunks of an array must make up its shape [${shape}]: they have ${bytes} bytes`,
    );
  }

  async #shapeInto(shape: number[]): Promise<void> {
    const head = await this.cursor.head();
    if ((head.kind !== "map" && head.kind !== "array") || head.length > MAX_RANK)
      throw flaxError(
        this.#source,
        `the shape of an array in chunks must be a list of at most ${MAX_RANK} extents: it is not`,
      );
    for (let axis = 0; axis < head.length; axis++) {
      if (head.kind === "map") await this.#key();
      const extent = await this.cursor.head();
      if (extent.kind !== "int" || !Number.isSafeInteger(extent.value))
        throw flaxError(this.#source, "the extents of an array in chunks must be counts: one is not");
      shape.push(extent.value);
    }
  }
}

/** Returns chunks in the order of their numbers. */
function chunksOf(value: unknown): readonly FlaxArray[] {
  const entries = value instanceof PickleDict ? [...value.entries] : [];
  entries.sort(([a], [b]) => Number(a) - Number(b));
  return entries.flatMap(([, chunk]) => (chunk instanceof FlaxArray ? [chunk] : []));
}
