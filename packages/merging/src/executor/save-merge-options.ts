import { assertWholeOptions, OutOfRangeError, UsageError } from "@isthmus/core";
import { DEFAULT_MEMORY, type MergeEstimate } from "./estimate-merge.ts";
import type { MergeSource } from "./merge-source.ts";
import type { OpenMergeExecutor } from "./remote-merge.ts";

/** Progress of `saveMerge`, in bytes of the result. */
export interface MergeProgress {
  /** Share of the bytes that are written, in `[0, 1]`. */
  readonly done: number;
  readonly doneBytes: number;
  readonly totalBytes: number;
}

/** Options of `saveMerge`. */
export interface SaveMergeOptions {
  /**
   * Description from which worker threads make the same plan. @defaultValue undefined: all work is done in
   * this thread
   */
  readonly source?: MergeSource | undefined;
  /**
   * Opens what makes the pieces on other machines, from the description in `source`, which must be there.
   * @defaultValue undefined: threads of this process make them
   */
  readonly openExecutor?: OpenMergeExecutor | undefined;
  /** Most tasks at once. @defaultValue as many as there are cores, 1 for a result of less than 64 MB */
  readonly threads?: number | undefined;
  /** Most bytes of memory that the process may take. @defaultValue 1 GiB */
  readonly memory?: number;
  /** Most bytes of tensors in one file; a larger tensor gets a file of its own. @defaultValue no limit */
  readonly maxShardBytes?: number;
  /**
   * Bytes of the result in one piece, rounded up to a multiple of 8: what a killed merge has to make again,
   * in each thread. @defaultValue 32 MiB
   */
  readonly pieceBytes?: number;
  /** Whether to replace an earlier checkpoint of that name, but never an input. @defaultValue false */
  readonly overwrite?: boolean;
  /** Whether to write NaN and infinities. @defaultValue false */
  readonly allowNonFinite?: boolean;
  /** Whether to go on with what an interrupted merge has left, else it starts anew. @defaultValue true */
  readonly resume?: boolean;
  /**
   * Whether all must be on the disk before it counts as finished, to survive a power cut.
   * @defaultValue false
   */
  readonly durable?: boolean;
  /** The recipe to store in the metadata, as JSON can hold it. @defaultValue none */
  readonly recipe?: unknown;
  /**
   * Whether to store the SHA-256 of every input in the metadata; files are read once more for it, beside the
   * merge. @defaultValue false
   */
  readonly hashInputs?: boolean;
  /** Signal that stops the work; what is finished stays, so that the same merge can go on. */
  readonly signal?: AbortSignal | undefined;
  /** Called before anything is written. */
  readonly onStart?: ((estimate: MergeEstimate) => void) | undefined;
  readonly onProgress?: ((progress: MergeProgress) => void) | undefined;
  /** Called with sentences for people, such as why a merge starts anew. */
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
  overwrite: false,
  allowNonFinite: false,
  resume: true,
  durable: false,
  recipe: undefined,
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
 * @throws UsageError if other machines are to make the pieces, and nothing says of what
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
