import { OutOfRangeError, resolveOptions, UsageError } from "@isthmus/core";
import type { DataSet } from "@isthmus/graph";
import type { AlignOptions } from "@isthmus/weight-matching";

/** How far a transfer is. */
export interface TransferProgress {
  readonly phase: "aligning" | "gradient" | "measuring" | "trying";
  /** Share of the phase, in `[0, 1]`. */
  readonly done: number;
}

/** Options of `transferTask`. */
export interface TransferTaskOptions {
  /**
   * How base A is aligned to base B, by the options of `align`; `false` adds the task vector as it is, which
   * suits bases that are relatives.
   * @defaultValue by weights, with seed 0
   */
  readonly align?: AlignOptions | false;
  /** What the task vector is multiplied by, or several numbers to choose from by `data`. @defaultValue 1 */
  readonly scale?: number | readonly number[];
  /** Labelled examples on which scales are tried: the one with the least loss is taken. @defaultValue none */
  readonly data?: DataSet | undefined;
  /**
   * A few labelled examples by whose gradients the task vector is masked (GradFix): elements that would go up
   * the gradient of the mean loss of base B on them are left out. @defaultValue no mask
   */
  readonly maskBySign?: DataSet | undefined;
  /** Examples on which batch norms are measured again. @defaultValue none: statistics move as weights do */
  readonly recalibrate?: DataSet | undefined;
  readonly signal?: AbortSignal | undefined;
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
  readonly scales: readonly number[];
};

/** Returns all options, checked. */
export function resolveTransferOptions(options: TransferTaskOptions): ResolvedTransfer {
  const { scale, ...resolved } = resolveOptions("transfer a task", TRANSFER_TASK_DEFAULTS, options);
  const scales = typeof scale === "number" ? [scale] : [...new Set(scale)];
  if (scales.length === 0) {
    throw new UsageError('Cannot transfer a task as "scale" must be a number, or some: it is an empty list');
  }
  const wrong = scales.find((value) => !Number.isFinite(value));
  if (wrong !== undefined) {
    throw new OutOfRangeError(`Cannot transfer a task as "scale" must be a finite number: it is ${wrong}`);
  }
  if (scales.length > 1 && resolved.data === undefined) {
    throw new UsageError(
      `Cannot transfer a task at ${scales.length} scales as examples must tell which is best: give "data" (--data), or one scale`,
    );
  }
  return { ...resolved, scales };
}
