import type { TensorData } from "../tensor/dtype.ts";
import type { Tensor, TensorInfo } from "../tensor/tensor.ts";

/**
 * A lazy, read-only, ordered map from tensor name to tensor, plus metadata.
 *
 * Opening one reads headers only; operations such as `permute` and `lerp` return checkpoints too, which
 * compute a tensor when it is read.
 */
export interface Checkpoint {
  /** Where it came from, for messages: a path, or how it was computed. */
  readonly source: string;
  /** Name, element type and shape of every tensor, in order. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Free-form strings stored beside the tensors. */
  readonly metadata: Readonly<Record<string, string>>;
  /**
   * Reads one whole tensor; the caller may keep it but must not write to it.
   * @throws MismatchError if there is no tensor of that name.
   */
  read(name: string): Promise<Tensor>;
  /**
   * Reads elements `[begin, end)` of one tensor in row-major order.
   * @throws MismatchError if there is no tensor of that name.
   * @throws RangeError if the range is not within the tensor.
   */
  readRange(name: string, begin: number, end: number): Promise<TensorData>;
  /** Releases files; reading afterwards fails. Closing a computed checkpoint closes nothing it reads from. */
  close(): Promise<void>;
}
