import { MismatchError, OutOfRangeError, UsageError } from "../errors.ts";
import { DTYPES, type TensorData } from "../tensor/dtype.ts";
import { formatShape, sizeOf } from "../tensor/shape.ts";
import { allocateData, type Tensor, type TensorInfo } from "../tensor/tensor.ts";
import type { Checkpoint } from "./checkpoint.ts";

/** Properties and functions that define a checkpoint. */
export interface CheckpointDefinition {
  /** Origin of the checkpoint for messages: a path, or a description of the computation. */
  readonly source: string;
  /** Name, element type and shape of every tensor, in order. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Free-form strings stored beside the tensors. @defaultValue none */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Checkpoints from which this one is computed, and whose files it therefore reads. @defaultValue none */
  readonly inputs?: readonly Checkpoint[];
  /** Paths of the files that the checkpoint itself reads. @defaultValue none */
  readonly files?: readonly string[];
  /**
   * Fills `out` with elements `[begin, begin + out.length)` of a tensor in row-major order. The arguments are
   * already checked: the tensor exists, the range lies within it, and `out` has the correct class. Calls may
   * overlap in time.
   */
  readonly readInto: (name: string, begin: number, out: TensorData) => Promise<void>;
  /** Releases files and memory. @defaultValue does nothing */
  readonly close?: () => Promise<void>;
}

/**
 * Creates a checkpoint from a list of tensors and a function that fills ranges of them.
 *
 * Every `Checkpoint` is made by this function, whether it is read from files or computed, so that names,
 * ranges and arrays are checked in one place.
 */
export function defineCheckpoint(definition: CheckpointDefinition): Checkpoint {
  const { source, tensors, metadata = {}, inputs = [], readInto, close } = definition;
  const files = [...new Set([...(definition.files ?? []), ...inputs.flatMap((input) => input.files)])];

  const infoOf = (name: string): TensorInfo => {
    const info = tensors.get(name);
    if (info !== undefined) return info;
    throw new MismatchError(
      `Cannot read "${name}" of "${source}" as there is no tensor of that name: it has ${describeNames(tensors)}`,
      { parameters: [name] },
    );
  };

  const readRangeInto = async (name: string, begin: number, out: TensorData): Promise<void> => {
    const info = infoOf(name);
    assertRange(name, info, begin, begin + out.length);
    const { array } = DTYPES[info.dtype];
    if (!(out instanceof array)) {
      throw new UsageError(
        `Cannot read "${name}" into a ${(out as TensorData).constructor.name} as its elements are ${info.dtype}: it needs a ${array.name}`,
      );
    }
    if (out.length > 0) await readInto(name, begin, out);
  };

  return {
    source,
    tensors,
    metadata,
    inputs,
    files,
    readRangeInto,
    async read(name): Promise<Tensor> {
      const { dtype, shape } = infoOf(name);
      const data = allocateData(dtype, sizeOf(shape));
      await readRangeInto(name, 0, data);
      return { dtype, shape, data };
    },
    async readRange(name, begin, end): Promise<TensorData> {
      const info = infoOf(name);
      assertRange(name, info, begin, end);
      const data = allocateData(info.dtype, end - begin);
      await readRangeInto(name, begin, data);
      return data;
    },
    async close() {
      await close?.();
    },
    async [Symbol.asyncDispose]() {
      await close?.();
    },
  };
}

function assertRange(name: string, info: TensorInfo, begin: number, end: number): void {
  const size = sizeOf(info.shape);
  if (Number.isInteger(begin) && Number.isInteger(end) && 0 <= begin && begin <= end && end <= size) return;
  throw new OutOfRangeError(
    `Cannot read elements ${begin} to ${end} of "${name}" ${formatShape(info.shape)} as it has ${size} elements`,
  );
}

function describeNames(tensors: ReadonlyMap<string, TensorInfo>): string {
  const names = [...tensors.keys()].slice(0, 5).map((name) => `"${name}"`);
  const rest = tensors.size - names.length;
  if (names.length === 0) return "none";
  return rest > 0 ? `${names.join(", ")} and ${rest} more` : names.join(", ");
}
