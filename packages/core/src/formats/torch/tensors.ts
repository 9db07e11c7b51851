import { at } from "../../invariant.ts";
import { MAX_EXPANDED_BYTES, MAX_RANK } from "../../io/limits.ts";
import { DTYPES, type DType } from "../../tensor/dtype.ts";
import { formatShape } from "../../tensor/shape.ts";
import type { TensorInfo } from "../../tensor/tensor.ts";
import { formatErrors } from "../format-errors.ts";
import { PickleTuple } from "./pickle/values.ts";

const formatError = formatErrors("torch");

/** Bytes that one or more tensors view. */
export interface TorchStorage {
  /** Name of the storage in the file. */
  readonly key: string;
  /** Element type; undefined for an untyped storage, whose tensors state their types. */
  readonly dtype: DType | undefined;
  /** Size of the storage in bytes. */
  readonly bytes: number;
}

/** A tensor as PyTorch describes it: a strided view of a storage. */
export interface TorchTensor extends TensorInfo {
  /** Storage whose elements the tensor views. */
  readonly storage: TorchStorage;
  /** Position of the first element in the storage, in elements. */
  readonly offset: number;
  /** Step along each axis, in elements; 0 repeats an element. */
  readonly strides: readonly number[];
}

/** Checks whether a value from a pickle is a tensor. */
export function isTorchTensor(value: unknown): value is TorchTensor {
  return typeof value === "object" && value !== null && "storage" in value && "strides" in value;
}

/** Unchecked parts of a tensor in a pickle. */
export interface TensorParts {
  /** Storage, as the persistent id was resolved. */
  readonly storage: unknown;
  /** Position of the first element in the storage, in elements. */
  readonly offset: unknown;
  /** Extents, outermost first, as a tuple of the pickle. */
  readonly shape: unknown;
  /** Step along each axis, in elements, as a tuple of the pickle. */
  readonly strides: unknown;
  /** Element type, if the storage is untyped. */
  readonly dtype?: DType | undefined;
}

/**
 * Creates a tensor from its parts in a pickle, after checking that every element lies within the storage.
 * @param file - name of the file, for messages
 * @throws FormatError if a part has a wrong type or value, or an element lies outside the storage.
 */
export function createTorchTensor(parts: TensorParts, file: string): TorchTensor {
  const { storage, offset } = parts;
  const shape = extentsOf(parts.shape);
  const strides = extentsOf(parts.strides);
  if (!isStorage(storage) || !isExtent(offset) || shape === undefined || strides?.length !== shape.length) {
    throw formatError(
      file,
      "a tensor must be made of a storage, an offset, a shape and as many strides: one is not",
    );
  }
  const dtype = parts.dtype ?? storage.dtype;
  if (dtype === undefined)
    throw formatError(file, `the tensor of storage "${storage.key}" must have an element type`);
  const tensor = { storage, dtype, offset, shape, strides };
  assertWithin(tensor, file);
  return tensor;
}

/** Checks whether elements follow one another in row-major order; axes of one element may have any stride. */
export function isContiguous({ shape, strides }: TorchTensor): boolean {
  if (shape.includes(0)) return true;
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const extent = at(shape, axis, "axis");
    if (extent !== 1 && strides[axis] !== expected) return false;
    expected *= extent;
  }
  return true;
}

/**
 * Counts the elements of the storage from the first to the last that a tensor uses, inclusive; 0 for an empty
 * tensor.
 */
export function spanOf({ shape, strides }: TorchTensor): number {
  if (shape.includes(0)) return 0;
  return shape.reduce((span, extent, axis) => span + (extent - 1) * at(strides, axis, "stride"), 1);
}

function assertWithin(tensor: TorchTensor, file: string): void {
  const { storage, dtype, offset, shape } = tensor;
  const width = DTYPES[dtype].bytes;
  const capacity = Math.floor(storage.bytes / width);
  const span = spanOf(tensor);
  if (!Number.isSafeInteger(span) || (span > 0 && offset + span > capacity)) {
    throw formatError(
      file,
      `a tensor must lie within its storage: ${dtype} ${formatShape(shape)} from element ${offset} takes ${span} ` +
        `of storage "${storage.key}", which has ${capacity}`,
    );
  }
  const bytes = shape.reduce((size, extent) => size * extent, width);
  if (bytes > Math.max(storage.bytes, MAX_EXPANDED_BYTES)) {
    throw formatError(
      file,
      `a tensor that repeats elements may have at most ${MAX_EXPANDED_BYTES} bytes: ${dtype} ${formatShape(shape)} has ` +
        `${bytes}, of a storage of ${storage.bytes}`,
    );
  }
}

function isStorage(value: unknown): value is TorchStorage {
  return typeof value === "object" && value !== null && "key" in value && "bytes" in value;
}

function isExtent(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function extentsOf(value: unknown): number[] | undefined {
  const items = value instanceof PickleTuple ? value.items : undefined;
  return items !== undefined && items.length <= MAX_RANK && items.every(isExtent) ? [...items] : undefined;
}
