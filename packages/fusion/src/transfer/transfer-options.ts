import { OutOfRangeError, resolveOptions, UsageError } from "@isthmus/core";
import type { DataSet } from "@isthmus/graph";
import type { AlignOptions } from "@isthmus/weight-matching";

/** Progress of a transfer. */
export interface TransferProgress {
  /** Part of the work under way. */
  readonly phase: "aligning" | "gradient" | "measuring" | "trying";
  /** Share of the phase that is done, in `[0, 1]`. */
  readonly done: number;
}

/** Options of `transferTask`. */
export interface TransferTaskOptions {
  /**
   * Options of `align` for aligning base A to base B; `false` adds the task vector without alignment, which
   * suits bases that are relatives.
   * @defaultValue by weights, with seed 0
   */
  readonly align?: AlignOptions | false;
  /** Factor of the task vector, or several factors from which `data` chooses. @defaultValue 1 */
  readonly scale?: number | readonly number[];
  /**
   * Labelled examples on which scales are tried; the scale with the least loss is taken. @defaultValue none
   */
  readonly data?: DataSet | undefined;
  /**
   * A few labelled examples by whose gradients the task vector is masked (GradFix): elements that go up the
   * gradient of base B's mean loss on these examples are left out. @defaultValue no mask
   */
  readonly maskBySign?: DataSet | undefined;
  /**
   * Examples on which the statistics of batch norms are measured again. @defaultValue none: statistics are
   * moved like weights
   */
  readonly recalibrate?: DataSet | undefined;
  /** Signal that stops the transfer. @defaultValue never aborted */
  readonly signal?: AbortSignal | undefined;
  /** Called while each phase goes on. @defaultValue no reports */
  readonly onProgress?: ((progress: TransferProgress) => void) | undefined;
}

/** Defaults of {@link TransferTaskOptions}. */
const TRANSFER_TASK_DEFAULTS: Required<TransferTaskOptions> = {
  align: { seed: 0 },
  scale: 1,
  data: undefined,
  maskBySign: undefined,
  recalibrate: undefined,
  signal: undefined,
  onProgress: undefined,
};

/** Options with all scales as a list. */
export type ResolvedTransfer = Omit<Required<TransferTaskOptions>, "scale"> & {
  /** Factors of the task vector, each once, at least one. */
  readonly scales: readonly number[];
};

/** Checks the options, and returns them with defaults. */
export function resolveTransferOptions(options: TransferTaskOptions): ResolvedTransfer {
  const { scale, ...resolved } = resolveOptions("transfer a task", TRANSFER_TASK_DEFAULTS, options);
  return { ...resolved, scales: checkScales(scale, resolved.data) };
}

/**
 * Lists the factors to try, each once.
 *
 * @throws UsageError if there are none, or several without examples to choose by
 * @throws OutOfRangeError if one is not finite
 */
export function checkScales(scale: number | readonly number[], data: DataSet | undefined): number[] {
  const scales = typeof scale === "number" ? [scale] : [...new Set(scale)];
  if (scales.length === 0) {
    throw new UsageError('Cannot transfer a task as "scale" must be a number, or some: it is an empty list');
  }
  const wrong = scales.find((value) => !Number.isFinite(value));
  if (wrong !== undefined) {
    throw new OutOfRangeError(`Cannot transfer a task as "scale" must be a finite number: it is ${wrong}`);
  }
  if (scales.length > 1 && data === undefined) {
    throw new UsageError(
      `Cannot transfer a task at ${scales.length} scales as examples must tell which is best: give "data" (--data), or one scale`,
    );
  }
  return scales;
}
