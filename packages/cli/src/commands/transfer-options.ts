import type { MapMethod, TransferProgress } from "@isthmus/fusion";
import { type DataSet, limitExamples } from "@isthmus/graph";
import { STATISTICS_EXAMPLES } from "@isthmus/statistics";
import type { BindingOptions } from "../options/binding-options.ts";
import type { EngineOptions } from "../options/engine-option.ts";
import type { MatchVerbOptions } from "../options/match-options.ts";

/** Options of `isthmus transfer`. */
export interface TransferVerbOptions extends EngineOptions, MatchVerbOptions, BindingOptions {
  readonly graph?: string | undefined;
  /** Architecture of base B, if its widths differ. */
  readonly graphB?: string | undefined;
  readonly exportedFromB?: string | undefined;
  /** Way of finding maps across widths. */
  readonly maps?: MapMethod | undefined;
  readonly mixUnits?: boolean | undefined;
  readonly output: string;
  readonly scale: readonly number[];
  readonly data?: string | undefined;
  readonly matchData?: string | undefined;
  readonly maskBySign?: string | undefined;
  readonly statistics: "keep" | "recalibrate";
  /** Whether the networks are aligned; false with `--no-align`. */
  readonly align: boolean;
}

/** Words of the progress bar for the phases of a transfer. */
export const TRANSFER_PHASES: Readonly<Record<TransferProgress["phase"], string>> = {
  aligning: "Aligning A to B",
  gradient: "Computing gradients of B",
  measuring: "Measuring what fine-tuning did",
  trying: "Trying scales",
};

/** Returns the examples on which statistics of batch norms are measured anew; undefined if they are kept. */
export function recalibrationData(
  { statistics }: TransferVerbOptions,
  data: DataSet | undefined,
): DataSet | undefined {
  if (statistics === "keep" || data === undefined) return undefined;
  return limitExamples("recalibrate batch norms", data, STATISTICS_EXAMPLES);
}
