import {
  at,
  type Checkpoint,
  defineCheckpoint,
  entry,
  formatShape,
  MismatchError,
  sameShape,
  sizeOf,
  type TensorData,
  type TensorInfo,
} from "@isthmus/core";
import type { Form, NameRow, Side } from "./name-table.ts";

/** Elements of a stored tensor that follow one another in a converted one. */
interface Piece {
  /** Stored tensor. */
  readonly name: string;
  /** Position of the first element in the stored tensor. */
  readonly from: number;
  /** Number of elements. */
  readonly length: number;
}

/** A converted tensor: its elements are pieces of stored tensors, one after another. */
export interface ConvertedTensor {
  /** Element type and shape. */
  readonly info: TensorInfo;
  /** Pieces in order. */
  readonly pieces: readonly Piece[];
  /** Whether the one piece, a whole matrix, is transposed. */
  readonly isTransposed: boolean;
}

/** Stored tensors of one network, by their names without the beginning that a larger file gives them. */
export interface StoredTensors {
  /** File or folder, for messages. */
  readonly source: string;
  /** Kind of the network for messages: `U-Net`. */
  readonly network: string;
  /** Element types and shapes by name. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
}

/**
 * Gives the tensors of a network the names of the other side of a table, without reading them.
 * @returns tensors by their new names, whose pieces have the old names
 * @throws MismatchError if a tensor is missing, or its shape or type does not fit
 */
export function convertNames(
  stored: StoredTensors,
  rows: readonly NameRow[],
  from: Side,
): ReadonlyMap<string, ConvertedTensor> {
  const { tensors } = stored;
  const namesOf = (row: NameRow) => (from === "original" ? [row.original] : row.diffusers);
  const begun = new Set(
    rows.flatMap((row) => (namesOf(row).some((name) => tensors.has(name)) ? [row.optional] : [])),
  );
  const converted = new Map<string, ConvertedTensor>();
  for (const row of rows) {
    if (row.optional !== undefined && !begun.has(row.optional)) continue;
    const missing = namesOf(row).find((name) => !tensors.has(name));
    if (missing !== undefined) throw missingError(stored, missing);
    const list = from === "original" ? divide(stored, row) : [[row.original, join(stored, row)] as const];
    for (const [name, tensor] of list) converted.set(name, tensor);
  }
  return converted;
}

function missingError({ source, network, tensors }: StoredTensors, missing: string): MismatchError {
  return new MismatchError(
    `Cannot convert the layout of "${source}" as its ${network} must have all tensors of such a network: it has ${tensors.size} and lacks "${missing}"`,
    { parameters: [missing] },
  );
}

function shapeError({ source }: StoredTensors, name: string, problem: string): MismatchError {
  return new MismatchError(`Cannot convert the layout of "${source}" as "${name}" ${problem}`, {
    parameters: [name],
  });
}

/** Divides an original tensor into the tensors of diffusers. */
function divide(stored: StoredTensors, row: NameRow): readonly (readonly [string, ConvertedTensor])[] {
  const { original, diffusers, form } = row;
  const { dtype, shape } = entry(stored.tensors, original, "tensor");
  const rows = rowsOfParts(stored, row, shape);
  const columns = sizeOf(shape.slice(1));
  let begin = 0;
  return diffusers.map((name, i) => {
    const count = at(rows, i, "part");
    const extents = shape.length === 0 ? [] : [count, ...(form === "flat" ? flatten(shape) : shape.slice(1))];
    const piece = { name: original, from: begin * columns, length: count * columns };
    begin += count;
    return [name, formed(stored, form, { info: { dtype, shape: extents }, pieces: [piece] })] as const;
  });
}

/** Returns the extents after the first axis; of a convolution that is a matrix, the second extent alone. */
function flatten(shape: readonly number[]): readonly number[] {
  return shape.slice(1).every((extent, axis) => axis === 0 || extent === 1)
    ? shape.slice(1, 2)
    : shape.slice(1);
}

/** Joins tensors of diffusers to the original tensor. */
function join(stored: StoredTensors, { diffusers, form }: NameRow): ConvertedTensor {
  const infos = diffusers.map((name) => entry(stored.tensors, name, "tensor"));
  const { dtype, shape } = at(infos, 0, "tensor");
  for (const [i, info] of infos.entries()) {
    const fits = info.dtype === dtype && sameShape(info.shape.slice(1), shape.slice(1));
    if (fits && info.shape.length === shape.length) continue;
    const name = at(diffusers, i, "name");
    const rule = `${dtype} with rows of ${formatShape(shape.slice(1))}, as "${diffusers[0]}" has them`;
    throw shapeError(
      stored,
      name,
      `must be ${rule}, to be joined with it: it is ${info.dtype} ${formatShape(info.shape)}`,
    );
  }
  const rows = infos.reduce((sum, info) => sum + sizeOf(info.shape.slice(0, 1)), 0);
  const flat = form === "flat" && shape.length === 2 ? [1, 1] : [];
  const extents = shape.length === 0 ? [] : [rows, ...shape.slice(1), ...flat];
  const pieces = diffusers.map((name, i) => ({
    name,
    from: 0,
    length: sizeOf(at(infos, i, "tensor").shape),
  }));
  return formed(stored, form, { info: { dtype, shape: extents }, pieces });
}

/** Exchanges the halves of a tensor or marks it as transposed, if its form says so; both undo themselves. */
function formed(
  stored: StoredTensors,
  form: Form,
  { info, pieces }: Omit<ConvertedTensor, "isTransposed">,
): ConvertedTensor {
  const { name } = at(pieces, 0, "piece");
  if (form === "transposed") {
    const [rows, columns] = info.shape;
    if (rows === undefined || columns === undefined || info.shape.length !== 2)
      throw shapeError(stored, name, `must be a matrix: it is ${formatShape(info.shape)}`);
    return { info: { ...info, shape: [columns, rows] }, pieces, isTransposed: true };
  }
  if (form !== "swapped") return { info, pieces, isTransposed: false };
  const [rows = 0] = info.shape;
  if (rows % 2 !== 0 || rows === 0)
    throw shapeError(stored, name, `must have two halves: it is ${formatShape(info.shape)}`);
  const half = sizeOf(info.shape) / 2;
  const halves = [half, 0].map((from) => ({ name, from, length: half }));
  return { info, pieces: halves, isTransposed: false };
}

/** Returns the number of rows of each tensor of diffusers into which an original one is divided. */
function rowsOfParts(
  stored: StoredTensors,
  { original, form, diffusers }: NameRow,
  shape: readonly number[],
): readonly number[] {
  const [rows = 1] = shape;
  if (form === "thirds" && shape.length > 0 && rows % diffusers.length === 0 && rows > 0)
    return diffusers.map(() => rows / diffusers.length);
  const weight = stored.tensors.get(original.replace(/\.bias$/, ".weight"))?.shape ?? [];
  const [, hidden = 0] = weight;
  const rest = rows - hidden * (diffusers.length - 1);
  if (form === "hidden" && weight.length === 2 && hidden > 0 && rest > 0)
    return diffusers.map((_, i) => (i < diffusers.length - 1 ? hidden : rest));
  if (form !== "thirds" && form !== "hidden") return [rows];
  const rule =
    form === "thirds"
      ? `rows for ${diffusers.length} equal parts`
      : "three parts of as many rows as its weight has columns, and a last one";
  throw shapeError(stored, original, `must have ${rule}: it is ${formatShape(shape)}`);
}

/** Places in which the pieces of converted tensors are stored. */
export interface ConvertedSource {
  /** Name for messages. */
  readonly source: string;
  /** Finds the checkpoint of a piece, and the name of its tensor there. */
  readonly locate: (name: string) => { readonly checkpoint: Checkpoint; readonly name: string };
  /** All checkpoints that are read. */
  readonly inputs: readonly Checkpoint[];
  /** Metadata of the file. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Makes a checkpoint of converted tensors, which reads them by range. */
export function defineConverted(
  tensors: ReadonlyMap<string, ConvertedTensor>,
  { source, locate, inputs, metadata }: ConvertedSource,
): Checkpoint {
  return defineCheckpoint({
    source,
    metadata,
    inputs,
    tensors: new Map([...tensors].map(([name, { info }]) => [name, info])),
    async readInto(name, begin, out) {
      const { info, pieces, isTransposed } = entry(tensors, name, "tensor");
      if (isTransposed) {
        const place = locate(at(pieces, 0, "piece").name);
        const { data } = await place.checkpoint.read(place.name);
        return transposeInto(data, info.shape, { begin, out });
      }
      let start = 0;
      for (const piece of pieces) {
        const [from, until] = [Math.max(begin, start), Math.min(begin + out.length, start + piece.length)];
        const place = locate(piece.name);
        if (from < until) {
          const part = out.subarray(from - begin, until - begin);
          await place.checkpoint.readRangeInto(place.name, piece.from + from - start, part);
        }
        start += piece.length;
      }
    },
  });
}

/** Copies elements of the transpose of a matrix, whose own shape is `[columns, rows]`, bit for bit. */
function transposeInto(
  data: TensorData,
  shape: readonly number[],
  { begin, out }: { readonly begin: number; readonly out: TensorData },
): void {
  const [rows, columns] = [at(shape, 0, "extent"), at(shape, 1, "extent")];
  const [from, to] = [bitsOf(data), bitsOf(out)];
  for (let i = 0; i < to.length; i++) {
    const index = begin + i;
    to[i] = from[(index % columns) * rows + Math.floor(index / columns)] as number;
  }
}

/** Views floats as integers, as copying numbers could change the bits of NaN. */
function bitsOf(data: TensorData): TensorData {
  const { buffer, byteOffset, length } = data;
  if (data instanceof Float32Array) return new Uint32Array(buffer, byteOffset, length);
  if (data instanceof Float64Array) return new BigUint64Array(buffer, byteOffset, length);
  return data;
}

/** Makes a tensor with the unchanged elements of one tensor of the input. */
export function passedOn(name: string, info: TensorInfo): ConvertedTensor {
  return { info, pieces: [{ name, from: 0, length: sizeOf(info.shape) }], isTransposed: false };
}
