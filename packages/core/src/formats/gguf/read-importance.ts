import { basename } from "@isthmus/platform";
import { FormatError, InputError } from "../../errors.ts";
import { at, entry } from "../../invariant.ts";
import type { ByteSource } from "../../io/byte-source.ts";
import { openFileSource } from "../../io/file-source.ts";
import { GgufCursor } from "./gguf-cursor.ts";
import { type GgufHeader, readGgufHeader, storedBytes } from "./gguf-header.ts";
import { readJsonArray } from "./metadata-types.ts";

/** How much each column of each matrix of a model matters, as `llama-imatrix` measures it. */
export interface Importance {
  /** Name of the file, without its folder. */
  readonly file: string;
  /** Mean square of the inputs of each column by the name of the matrix, `[matrices * columns]`. */
  readonly columns: ReadonlyMap<string, Float32Array>;
  /** Name of the text that was measured; undefined if the file has none. */
  readonly dataset: string | undefined;
  /** Number of parts of the text that were measured; 0 if the file has none. */
  readonly chunks: number;
}

/** Largest file of an importance matrix, in bytes: real ones have less than a hundred MB. */
const MAX_BYTES = 2 ** 30;

const SUMS = ".in_sum2";
const COUNTS = ".counts";

/**
 * Reads an importance matrix that `llama-imatrix` wrote: a GGUF file, or the older `.dat`.
 * @throws FormatError if the file is damaged, cut short, or none of the two
 * @throws InputError if the file cannot be read, or holds a number that is negative or not finite
 *
 * @example
 * ```ts no-run
 * import { convertCheckpoint, readImportance } from "@isthmus/core";
 *
 * const importance = await readImportance("imatrix.gguf");
 * await convertCheckpoint("model.gguf", "small.gguf", { dtype: "q4_k_m", importance });
 * ```
 */
export async function readImportance(path: string): Promise<Importance> {
  const source = await openFileSource(path);
  try {
    if (source.size > MAX_BYTES)
      throw fail(source, `it may have at most ${MAX_BYTES} bytes: it has ${source.size}`);
    const magic = await source.read(0, Math.min(4, source.size));
    const isGguf = new TextDecoder().decode(magic) === "GGUF";
    const importance = isGguf ? await readGguf(source) : await readOld(source);
    for (const [name, columns] of importance.columns) assertNumbers(path, name, columns);
    return importance;
  } finally {
    await source.close();
  }
}

async function readGguf(source: ByteSource): Promise<Importance> {
  const header = await readGgufHeader(source);
  const columns = new Map<string, Float32Array>();
  for (const name of header.tensors.keys()) {
    if (!name.endsWith(SUMS)) continue;
    const matrix = name.slice(0, -SUMS.length);
    const sums = await readFloats(source, header, name);
    const counts = await readFloats(source, header, `${matrix}${COUNTS}`);
    const perMatrix = sums.length / Math.max(1, counts.length);
    if (!Number.isInteger(perMatrix))
      throw fail(
        source,
        `"${name}" must have as many numbers for each matrix: ${sums.length} for ${counts.length}`,
      );
    // A matrix that no token went through matters as much everywhere.
    const weights = sums.map((sum, i) => {
      const count = Math.round(at(counts, Math.floor(i / perMatrix), "count"));
      return count > 0 ? sum / count : 1;
    });
    columns.set(matrix, weights);
  }
  if (columns.size === 0)
    throw fail(source, `it must have tensors that end in "${SUMS}": it has none; is it a model?`);
  const { metadata } = header;
  const { "imatrix.chunk_count": chunks } = metadata;
  const [dataset] = readJsonArray(metadata, "imatrix.datasets");
  return {
    file: basename(source.name),
    columns,
    dataset,
    chunks: chunks === undefined ? 0 : Number(chunks),
  };
}

async function readFloats(source: ByteSource, { tensors }: GgufHeader, name: string): Promise<Float32Array> {
  const tensor = tensors.get(name);
  if (tensor?.type.name !== "F32")
    throw fail(
      source,
      `it must have "${name}" in F32: ${tensor === undefined ? "it has none" : `it is ${tensor.type.name}`}`,
    );
  const { begin } = entry(tensors, name, "tensor");
  const bytes = new Uint8Array(storedBytes(tensor));
  await source.readInto(begin, bytes);
  return new Float32Array(bytes.buffer);
}

async function readOld(source: ByteSource): Promise<Importance> {
  const bytes = await source.read(0, source.size);
  const cursor = new GgufCursor(bytes, 0, source);
  const size = (what: string, itemBytes: number): number => {
    const value = cursor.number(4, (view, at) => view.getInt32(at, true));
    if (value >= 0 && value * itemBytes <= source.size - cursor.position) return value;
    throw fail(
      source,
      `it must have room for its ${what}: it claims ${value}; it may be cut short, or another file`,
    );
  };
  const text = (): string => {
    const length = size("text", 1);
    const begin = cursor.skip(length);
    return new TextDecoder().decode(bytes.subarray(begin, begin + length));
  };
  const columns = new Map<string, Float32Array>();
  for (let left = size("entries", 12); left > 0; left--) {
    const name = text();
    const calls = cursor.number(4, (view, at) => view.getInt32(at, true));
    const count = size("numbers", 4);
    const begin = cursor.skip(4 * count);
    const numbers = new Float32Array(bytes.slice(begin, begin + 4 * count).buffer);
    columns.set(name, calls > 0 ? numbers.map((x) => x / calls) : numbers);
  }
  if (columns.size === 0) throw fail(source, "it must have an entry: it has none");
  const hasEnd = cursor.position < source.size;
  const chunks = hasEnd ? cursor.number(4, (view, at) => view.getInt32(at, true)) : 0;
  const dataset = hasEnd && cursor.position < source.size ? text() : undefined;
  return { file: basename(source.name), columns, dataset, chunks };
}

function assertNumbers(path: string, name: string, columns: Float32Array): void {
  const index = columns.findIndex((x) => !(x >= 0 && x < Number.POSITIVE_INFINITY));
  if (index < 0) return;
  throw new InputError(
    `Cannot use "${path}" as an importance matrix as its numbers must be finite and at least 0: that of column ${index} of "${name}" is ${columns[index]}; measure it again`,
    { input: path },
  );
}

function fail({ name }: ByteSource, problem: string): FormatError {
  return new FormatError(`Cannot read "${name}" as an importance matrix as ${problem}`, {
    format: "imatrix",
  });
}
