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
  /** Where it came from, for messages: a path, or how it was computed. */
  readonly source: string;
  /** Name, element type and shape of every tensor, in order. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Free-form strings stored beside the tensors. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Checkpoints it is computed from; none where it is read from files or held in memory. */
  readonly inputs: readonly Checkpoint[];
  /** Paths of the files it reads from, directly or through the checkpoints it is computed from. */
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
   * Fills `out` with elements `[begin, begin + out.length)` of one tensor in row-major order, so that memory
   * can be used again for the next range.
   * @throws MismatchError if there is no tensor of that name.
   * @throws OutOfRangeError if the range is not within the tensor.
   * @throws UsageError if `out` is not the array class of the tensor's element type.
   */
  readRangeInto(name: string, begin: number, out: TensorData): Promise<void>;
  /** Releases files; reading afterwards fails. Closing a computed checkpoint closes nothing it reads from. */
  close(): Promise<void>;
  /** Closes it, so that `await using` does at the end of a block. */
  [Symbol.asyncDispose](): Promise<void>;
}
