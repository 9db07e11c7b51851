import type { TensorData } from "../tensor/dtype.ts";
import type { Tensor, TensorInfo } from "../tensor/tensor.ts";

/**
 * A lazy, read-only, ordered map from tensor name to tensor, plus metadata.
 *
 * Opening one reads headers only; operations such as `permute` and `lerp` return checkpoints too, which
 * compute a tensor when it is read. Any number of reads may be under way at once. Make one with
 * `defineCheckpoint`.
 */
export interface Checkpoint {
  /** Origin of the checkpoint for messages: a path, or a description of the computation. */
  readonly source: string;
  /** Name, element type and shape of every tensor, in order. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Free-form strings stored beside the tensors. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Checkpoints from which this one is computed; empty if it is read from files or held in memory. */
  readonly inputs: readonly Checkpoint[];
  /** Paths of the files that are read, directly or through the inputs of a computed checkpoint. */
  readonly files: readonly string[];
  /**
   * Reads one whole tensor; the caller may keep it but must not write to it.
   * @throws MismatchError if there is no tensor of that name.
   */
  read(name: string): Promise<Tensor>;
  /**
   * Reads elements `[begin, end)` of one tensor in row-major order.
   * @throws MismatchError if there is no tensor of that name.
   * @throws OutOfRangeError if the range is not within the tensor.
   */
  readRange(name: string, begin: number, end: number): Promise<TensorData>;
  /**
   * Fills `out` with elements `[begin, begin + out.length)` of one tensor in row-major order, so that callers
   * can reuse memory for the next range.
   * @throws MismatchError if there is no tensor of that name.
   * @throws OutOfRangeError if the range is not within the tensor.
   * @throws UsageError if `out` is not the array class of the tensor's element type.
   */
  readRangeInto(name: string, begin: number, out: TensorData): Promise<void>;
  /** Releases files; reading afterwards fails. Closing a computed checkpoint does not close its inputs. */
  close(): Promise<void>;
  /** Closes the checkpoint; called by `await using` at the end of a block. */
  [Symbol.asyncDispose](): Promise<void>;
}
