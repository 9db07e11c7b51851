import type { AnyMeasurement } from "@isthmus/findings";
import {
  type Opened,
  type PairOnSetsOptions,
  type TrainingSubjectOptions,
  withSubject,
} from "@isthmus/measurements/open";
import type { StatisticsChoice } from "@isthmus/statistics";
import type { ExportedFromOptions } from "../open/exported-from-options.ts";
import { readingOf } from "../open/reading-of.ts";
import { alignmentOf } from "../options/match-options.ts";
import type { PairOptions } from "../options/pair-options.ts";
import { assertOutput } from "../output/assert-output.ts";
import type { Context } from "../verb.ts";
import { besideOf } from "./beside-options.ts";
import { toAttribute } from "./flag-names.ts";
import type { SetOptions } from "./set-options.ts";

/** Options of commands that measure, as the parser of command lines has them. */
export type SubjectFlags = PairOptions &
  ExportedFromOptions &
  SetOptions & { readonly graphA?: string; readonly graphB?: string };

/** Names of a subject and its examples from a command line, with the options of its measurement. */
export interface SubjectRequest {
  /** Measurement that is to run on the subject. */
  readonly measurement: AnyMeasurement;
  /** Paths of the checkpoints, one for each argument, or several for a variadic one. */
  readonly paths: readonly string[];
  /** Options of the measurement with their defaults, without the ones of a training. */
  readonly resolved: Readonly<Record<string, unknown>>;
  /** Options of the command, as the parser of command lines has them. */
  readonly flags: SubjectFlags;
  /** Policy for norms that the command line names. */
  readonly statistics: StatisticsChoice | undefined;
  /** Files that will be written. */
  readonly outputs: readonly string[];
}

/** Opens the subject that a command line names. */
export async function openSubject<T>(
  request: SubjectRequest,
  context: Context,
  work: (opened: Opened) => Promise<T>,
): Promise<T> {
  const { measurement, paths, resolved, flags } = request;
  const options = {
    ...(await openingOf(request, context)),
    beside: besideOf(measurement, flags),
    evalData: evaluatedOf(measurement, flags),
  };
  return withSubject(measurement.subject, { measurement, paths, resolved, options, seed: flags.seed }, work);
}

/**
 * Returns the options of the library for opening a subject, in place of the options of a command; most have
 * the same names.
 */
export async function openingOf(
  { flags, statistics, outputs }: Pick<SubjectRequest, "flags" | "statistics" | "outputs">,
  context: Context,
): Promise<PairOnSetsOptions & TrainingSubjectOptions> {
  return {
    ...(await readingOf(flags, context)),
    statistics,
    align: flags.align ? alignmentOf(flags) : undefined,
    onProgress: context.progress,
    async onFiles(files) {
      for (const output of outputs) await assertOutput(output, files);
    },
  };
}

/** Returns the name of the examples that a training is measured on; undefined if the command names none. */
function evaluatedOf({ training }: AnyMeasurement, flags: SubjectFlags): string | undefined {
  if (training === undefined) return undefined;
  const named = new Map<string, unknown>(Object.entries(flags)).get(toAttribute(training.measured.flag));
  return typeof named === "string" ? named : undefined;
}
