import { assertWholeOptions, type FileForm, OutOfRangeError, UsageError } from "@isthmus/core";
import { DEFAULT_MEMORY, type MergeEstimate } from "./estimate-merge.ts";
import type { MergeSource } from "./merge-source.ts";
import type { RecordedOptions } from "./provenance.ts";
import type { OpenMergeExecutor } from "./remote-merge.ts";

/** Progress of `saveMerge`, in bytes of the result. */
export interface MergeProgress {
  /** Share of the bytes that are written, in `[0, 1]`. */
  readonly done: number;
  /** Bytes of tensors that are written, pieces of an interrupted merge included. */
  readonly doneBytes: number;
  /** Bytes of all tensors of the result. */
  readonly totalBytes: number;
}

/** Options of `saveMerge`. */
export interface SaveMergeOptions extends RecordedOptions {
  /**
   * Description from which worker threads make the same plan. @defaultValue undefined: this thread does all
   * work
   */
  readonly source?: MergeSource | undefined;
  /**
   * Opens the executor that makes the pieces on other machines, from the description in `source`, which is
   * required.
   * @defaultValue undefined: threads of this process make them
   */
  readonly openExecutor?: OpenMergeExecutor | undefined;
  /** Most tasks at once. @defaultValue the number of cores, or 1 for a result of less than 64 MB */
  readonly threads?: number | undefined;
  /** Most bytes of memory that the process may take. @defaultValue 1 GiB */
  readonly memory?: number;
  /** Most bytes of tensors in one file; a larger tensor gets a separate file. @defaultValue no limit */
  readonly maxShardBytes?: number;
  /**
   * Bytes of the result in one piece, rounded up to a multiple of 8. Each thread of a killed merge has to
   * repeat at most one piece. @defaultValue 32 MiB
   */
  readonly pieceBytes?: number;
  /** Form of the files, such as that of `ggufForm`. @defaultValue safetensors */
  readonly form?: FileForm | undefined;
  /** Whether to replace an earlier checkpoint of that name, but never an input. @defaultValue false */
  readonly overwrite?: boolean;
  /** Whether to write NaN and infinities. @defaultValue false */
  readonly allowNonFinite?: boolean;
  /** Whether to resume an interrupted merge instead of starting from the beginning. @defaultValue true */
  readonly resume?: boolean;
  /**
   * Whether each piece must be on the disk before it counts as finished, to survive a power cut.
   * @defaultValue false
   */
  readonly durable?: boolean;
  /**
   * Whether to store the SHA-256 of every input in the metadata; each file is read once more for its hash.
   * @defaultValue false
   */
  readonly hashInputs?: boolean;
  /** Signal that stops the work. Finished pieces are kept, so that the same merge can be resumed. */
  readonly signal?: AbortSignal | undefined;
  /** Called with the estimate before anything is written. */
  readonly onStart?: ((estimate: MergeEstimate) => void) | undefined;
  /** Called as bytes are written. @defaultValue nothing is called */
  readonly onProgress?: ((progress: MergeProgress) => void) | undefined;
  /** Called with notes for the user, such as the reason for which a merge starts from the beginning. */
  readonly onNote?: ((note: string) => void) | undefined;
}

/** Defaults of `saveMerge`. */
export const SAVE_MERGE_DEFAULTS: Required<SaveMergeOptions> = {
  source: undefined,
  openExecutor: undefined,
  threads: undefined,
  memory: DEFAULT_MEMORY,
  maxShardBytes: Number.POSITIVE_INFINITY,
  pieceBytes: 2 ** 25,
  form: undefined,
  overwrite: false,
  allowNonFinite: false,
  resume: true,
  durable: false,
  recipe: undefined,
  making: undefined,
  device: undefined,
  hashInputs: false,
  signal: undefined,
  onStart: undefined,
  onProgress: undefined,
  onNote: undefined,
};

/** Options with every default filled in. */
export type ResolvedOptions = Readonly<Required<SaveMergeOptions>>;

/**
 * Checks the numbers among the options, and that other machines get a description of the merge.
 * @throws OutOfRangeError if a number is not whole, or too small
 * @throws UsageError if other machines shall make the pieces, and `source` does not describe the merge
 */
export function assertOptions(options: ResolvedOptions): void {
  const { threads, memory, maxShardBytes, pieceBytes, source, openExecutor } = options;
  assertWholeOptions(
    "save a merge",
    { threads: threads ?? 1, memory, pieceBytes },
    { threads: 1, memory: 1, pieceBytes: 1 },
  );
  if (openExecutor !== undefined && source === undefined) {
    throw new UsageError(
      "Cannot save a merge by an executor as source must describe it, from which other machines make the plan: it is undefined; describe it, or leave out openExecutor",
    );
  }
  if (maxShardBytes >= 1) return;
  throw new OutOfRangeError(
    `Cannot save a merge as maxShardBytes must be at least 1: it is ${maxShardBytes}`,
  );
}
