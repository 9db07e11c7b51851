import { UsageError } from "@isthmus/core";
import type { StatisticsChoice } from "@isthmus/statistics";
import type { PairOptions, SharedOptions } from "./subject-options.ts";

/**
 * Checks that no examples for statistics are named if statistics are kept.
 * @throws UsageError if they are
 */
export function assertNotKept({
  statistics,
  recalibrateData,
  recalibrateExamples,
}: Pick<SharedOptions, "statistics" | "recalibrateData" | "recalibrateExamples">): void {
  if (statistics !== "keep" || (recalibrateData === undefined && recalibrateExamples === undefined)) return;
  throw new UsageError(
    "Cannot recalibrate as --statistics keep leaves the statistics as they are: got --recalibrate options, too; leave out one of them",
  );
}

/**
 * Returns the policy for statistics of a pair. Options that name examples for statistics imply `recalibrate`,
 * unless the examples have another use.
 * @throws UsageError if options exclude each other
 */
export function statisticsOf(options: PairOptions): StatisticsChoice {
  const { align, alignment, statistics, temperature, recalibrateData, recalibrateExamples } = options;
  if (align !== undefined && alignment !== undefined) {
    throw new UsageError("Cannot measure as --align and --alignment exclude each other: got both");
  }
  if (temperature) return statistics ?? "auto";
  const recalibrates = recalibrateData !== undefined || recalibrateExamples !== undefined;
  assertNotKept({ statistics, recalibrateData, recalibrateExamples });
  return statistics ?? (recalibrates ? "recalibrate" : "auto");
}
