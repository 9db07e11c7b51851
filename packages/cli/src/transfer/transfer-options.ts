import type { MapMethod, TransferProgress } from "@isthmus/fusion";
import { type DataSet, limitExamples } from "@isthmus/graph";
import { STATISTICS_EXAMPLES } from "@isthmus/statistics";
import type { BindingOptions } from "../options/binding-options.ts";
import type { EngineOptions } from "../options/engine-option.ts";
import type { MatchVerbOptions } from "../options/match-options.ts";

/** Options of `isthmus transfer`. */
export interface TransferVerbOptions extends EngineOptions, MatchVerbOptions, BindingOptions {
  /** File of the architecture of A, or of both bases. @defaultValue their config.json */
  readonly graph?: string | undefined;
  /** File of the architecture of base B, if its widths differ. */
  readonly graphB?: string | undefined;
  /** Path of the checkpoint that the graph of base B was exported from. @defaultValue base B */
  readonly exportedFromB?: string | undefined;
  /** Way of finding maps across widths. */
  readonly maps?: MapMethod | undefined;
  /** Whether hidden units, too, are mapped by matrices across widths. @defaultValue false */
  readonly mixUnits?: boolean | undefined;
  /** Whether embeddings get their part of the task across widths, too. @defaultValue false */
  readonly moveEmbeddings?: boolean | undefined;
  /** Path of the new fine-tune. */
  readonly output: string;
  /** Factors of the task vector to try. */
  readonly scale: readonly number[];
  /** Name of labelled examples to try scales on. @defaultValue none */
  readonly data?: string | undefined;
  /** Name of examples to match units on. @defaultValue the ones of `data` */
  readonly matchData?: string | undefined;
  /** Name of labelled examples by whose gradients the task vector is masked. @defaultValue no mask */
  readonly maskBySign?: string | undefined;
  /** Treatment of the statistics of batch norms. */
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
