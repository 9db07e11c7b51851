import { formatMeasure, formatShort } from "@isthmus/findings";
import type { IntrinsicDimensionResult, UntrainedAccuracy } from "../intrinsic-dimension-result.ts";

/** Writes an accuracy as a percentage. */
export const formatAccuracy = (accuracy: number): string => formatMeasure(accuracy, "error");

/** Returns the mean accuracy of networks before any training. */
export function startAccuracy({ start }: UntrainedAccuracy): number {
  return start.reduce((sum, { accuracy }) => sum + accuracy, 0) / start.length;
}

/**
 * Explains why an intrinsic dimension is meaningless, one sentence for each reason: nothing was learned, or
 * the line is reached without training. The list is empty if the dimension is meaningful.
 */
export function wordsOfUntrained({ untrained, threshold, line }: IntrinsicDimensionResult): string[] {
  if (untrained === undefined) return [];
  const { guess, learned, startReaches } = untrained;
  const start = formatAccuracy(startAccuracy(untrained));
  const name = `d_${formatShort(100 * threshold)}`;
  const reached =
    guess === undefined ? start : `${start}, and the most frequent class ${formatAccuracy(guess)}`;
  return [
    ...(learned
      ? []
      : [
          `Full training learned hardly anything: it reaches ${formatAccuracy(line / threshold)}, the untrained network ${reached}. ${name} means nothing; train longer, or on more examples.`,
        ]),
    ...(startReaches
      ? [
          `The untrained network, in 0 dimensions, already reaches the line of ${formatAccuracy(line)}: it has ${start}.`,
        ]
      : []),
  ];
}
