import { UnsupportedError } from "../../errors.ts";
import type { ByteSource } from "../../io/byte-source.ts";
import { MAX_NESTING, MAX_PICKLE_BYTES, MAX_RANK } from "../../io/limits.ts";
import { excerpt } from "../../json/excerpt.ts";
import type { DType } from "../../tensor/dtype.ts";
import { formatErrors } from "../format-errors.ts";
import { createSettingsFinder, dtypeOf } from "../torch/globals.ts";
import { PickleBudget } from "../torch/pickle/pickle-budget.ts";
import { buildRecord, PickleRecord } from "../torch/pickle/pickle-record.ts";
import { readPickle } from "../torch/pickle/read-pickle.ts";
import { PickleDict, PickleGlobal, PickleTuple } from "../torch/pickle/values.ts";

const formatError = formatErrors("dcp");

/** Least bytes that the metadata takes for a chunk and its place. */
const LEAST_CHUNK_BYTES = 32;

/** A box of a tensor, and the bytes of a file that hold it as `torch.save` wrote it. */
export interface DcpChunk {
  /** Position of the first element of the box along each axis of the tensor. */
  readonly offsets: readonly number[];
  /** Extents of the box. */
  readonly sizes: readonly number[];
  /** Name of a file in the folder of the checkpoint. */
  readonly file: string;
  /** Position of the first byte in the file. */
  readonly begin: number;
  /** Number of bytes. */
  readonly length: number;
}

/** A tensor of a distributed checkpoint. */
export interface DcpTensor {
  /** Type of the elements. */
  readonly dtype: DType;
  /** Extents of the whole tensor, outermost first. */
  readonly shape: readonly number[];
  /** Boxes that together make up the tensor. */
  readonly chunks: readonly DcpChunk[];
  /** Keys of the dictionaries and positions in the lists that hold the tensor, outermost first. */
  readonly path: readonly unknown[];
}

/**
 * Reads `.metadata` of a distributed checkpoint: a pickle, of which no code is run.
 * @returns the tensors by their flattened names; values that are no tensors are left out
 * @throws FormatError if the file is damaged, or a part has a wrong type or value
 * @throws UnsupportedError if an entry or its type is of another kind, or stored bytes are transformed
 */
export async function readDcpMetadata(source: ByteSource): Promise<Map<string, DcpTensor>> {
  if (source.size > MAX_PICKLE_BYTES)
    throw formatError(source, `it may have at most ${MAX_PICKLE_BYTES} bytes: it has ${source.size}`);
  const { value } = readPickle(
    await source.read(0, source.size),
    {
      find: createSettingsFinder(source.name),
      load: () => {
        throw formatError(source, "metadata must hold no storages: it holds one");
      },
      build: buildRecord,
      budget: new PickleBudget(source.name),
    },
    source.name,
  );
  const entries = value instanceof PickleRecord ? value.get("state_dict_metadata") : undefined;
  if (!(value instanceof PickleRecord) || !(entries instanceof PickleDict))
    throw formatError(source, "it must be metadata of a distributed checkpoint: it is another value");
  const places = placesOf(value.get("storage_data"), source);
  const tensors = describeTensors(entries, places, source);
  const paths = value.get("planner_data");
  return new Map(
    [...tensors].map(([name, tensor]) => [name, { ...tensor, path: pathOf(name, paths, source) }]),
  );
}

type Described = Omit<DcpTensor, "path">;

function describeTensors(
  { entries }: PickleDict,
  places: ReadonlyMap<string, Place>,
  source: ByteSource,
): Map<string, Described> {
  const tensors = new Map<string, Described>();
  let chunks = 0;
  for (const [name, entry] of entries) {
    if (!(entry instanceof PickleRecord) || typeof name !== "string")
      throw formatError(source, "each entry must have a name and a description: one has not");
    if (entry.name.endsWith(".BytesStorageMetadata")) continue;
    if (!entry.name.endsWith(".TensorStorageMetadata")) {
      throw new UnsupportedError(
        `Cannot read "${source.name}" as entries must be tensors or other values: "${name}" is described by ${entry.name}, which is not run; load it in PyTorch and save it by torch.distributed.checkpoint`,
        { feature: entry.name },
      );
    }
    const tensor = describeTensor(name, entry, places, source);
    chunks += tensor.chunks.length;
    // A pickle can name one list many times, and so claim far more than it has bytes.
    if (chunks * LEAST_CHUNK_BYTES > source.size)
      throw formatError(
        source,
        `its ${source.size} bytes must describe each chunk: tensors claim more of them`,
      );
    tensors.set(name, tensor);
  }
  return tensors;
}

/**
 * Returns the keys that lead to a tensor in the state that was saved; its name alone if they are not stored.
 */
function pathOf(name: string, paths: unknown, source: ByteSource): readonly unknown[] {
  const path = paths instanceof PickleDict ? paths.entries.get(name) : undefined;
  if (!(path instanceof PickleTuple) || path.items.length === 0) return [name];
  if (path.items.length <= MAX_NESTING) return path.items;
  throw formatError(
    source,
    `states may be nested ${MAX_NESTING} deep: "${name}" is at level ${path.items.length}`,
  );
}

function describeTensor(
  name: string,
  entry: PickleRecord,
  places: ReadonlyMap<string, Place>,
  source: ByteSource,
): Described {
  const properties = entry.get("properties");
  const state = properties instanceof PickleRecord ? properties.state : undefined;
  const type: unknown = state instanceof PickleTuple ? state.items[0] : undefined;
  const dtype = dtypeOf(type);
  if (dtype === undefined && type instanceof PickleGlobal) {
    throw new UnsupportedError(
      `Cannot read "${source.name}" as elements must be numbers of a type that safetensors has: "${name}" has ${type.name}`,
      { feature: type.name },
    );
  }
  const shape = extentsOf(entry.get("size"));
  const chunks = entry.get("chunks");
  if (dtype === undefined || shape === undefined || !Array.isArray(chunks))
    throw formatError(source, `"${name}" must have a type, a shape and chunks: it has not`);
  return {
    dtype,
    shape,
    chunks: chunks.map((chunk: unknown) => {
      const offsets = chunk instanceof PickleRecord ? extentsOf(chunk.get("offsets")) : undefined;
      const sizes = chunk instanceof PickleRecord ? extentsOf(chunk.get("sizes")) : undefined;
      if (offsets === undefined || sizes === undefined)
        throw formatError(source, `a chunk of "${name}" must have offsets and sizes: one has not`);
      const place = places.get(keyOf(name, offsets));
      if (place === undefined)
        throw formatError(
          source,
          `each chunk must be in a file: that of "${name}" from [${offsets}] is in none`,
        );
      return { offsets, sizes, ...place };
    }),
  };
}

type Place = Pick<DcpChunk, "file" | "begin" | "length">;

const keyOf = (name: string, offsets: readonly number[]): string => `${name}\n${offsets}`;

/** Returns where each chunk is stored, by the name of its tensor and its offsets. */
function placesOf(data: unknown, source: ByteSource): ReadonlyMap<string, Place> {
  if (!(data instanceof PickleDict))
    throw formatError(source, "it must say where tensors are stored: it does not");
  const places = new Map<string, Place>();
  for (const [index, info] of data.entries) {
    if (!(index instanceof PickleRecord) || !(info instanceof PickleRecord))
      throw formatError(source, "each place must be of a tensor and in a file: one is not");
    const name = index.get("fqn");
    const offsets = extentsOf(index.get("offset"));
    // Values that are no tensors have no offset.
    if (typeof name === "string" && offsets !== undefined)
      places.set(keyOf(name, offsets), placeOf(name, info, source));
  }
  return places;
}

function placeOf(name: string, info: PickleRecord, source: ByteSource): Place {
  const [file, begin, length] = ["relative_path", "offset", "length"].map((field) => info.get(field));
  if (typeof file !== "string" || !/^[^/\\\0]+$/.test(file) || file === "." || file === "..")
    throw formatError(source, `"${name}" must be in a file beside the metadata: it is in ${excerpt(file)}`);
  if (!isExtent(begin) || !isExtent(length))
    throw formatError(source, `"${name}" must be at a position in "${file}": it is not`);
  const transforms: unknown = info.get("transform_descriptors");
  if (Array.isArray(transforms) && transforms.length > 0) {
    throw new UnsupportedError(
      `Cannot read "${source.name}" as tensors must be stored as they are: "${name}" is transformed by ${excerpt(transforms[0])}; load it in PyTorch and save it without extensions`,
      { feature: "transformed chunks" },
    );
  }
  return { file, begin, length };
}

function extentsOf(value: unknown): readonly number[] | undefined {
  const items = value instanceof PickleTuple ? value.items : undefined;
  return items !== undefined && items.length <= MAX_RANK && items.every(isExtent) ? items : undefined;
}

function isExtent(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
