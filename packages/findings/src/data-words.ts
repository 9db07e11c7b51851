import { formatCounted } from "./format-value.ts";
import type { LossWords } from "./loss-words.ts";
import type { Measure } from "./measure.ts";

/** Beginning of the names of data whose examples are pieces of text, of which every token is predicted. */
const TEXT = "text:";
/** End of the names of data of which only the first examples are taken; a cue may follow it. */
const FIRST = /@\d+(?=\+cue=|$)/;
/** Names of two files, of inputs and of labels, in the name of a data set. */
const TWO_FILES = /^idx:([^,]+),[^:]*/;
/** Folder in the name of a published data set, which says nothing more than the name before it. */
const PUBLISHED = /^((?:fashion-)?mnist):(?!(?:test|train)(?:\+cue=|$))[^:]*/;
/** Folders in the name of a data set, which say nothing to a reader elsewhere. */
const FOLDERS = /[^,:]*[\\/]/g;

/** Words for a measure in titles, on axes and after numbers. */
export interface MeasureWords {
  /** Words of the measure in titles, such as `Mean loss per token`. */
  readonly name: string;
  /** Words of its axis, with the unit in brackets. */
  readonly axis: string;
  /** Unit of its numbers in words, to stand after a comma. */
  readonly unit: string;
}

/**
 * Returns the words for loss or error on some data sets: if all of these are texts, it is the loss or error
 * of the next token.
 * @param losses - words for the losses of the result
 */
export function measureWords(measure: Measure, losses: LossWords, ...data: readonly string[]): MeasureWords {
  const text = data.length > 0 && data.every((name) => name.startsWith(TEXT));
  if (measure === "loss") {
    const name = text ? "Mean loss per token" : losses.mean;
    return { name, axis: losses.axis(name), unit: losses.inUnit };
  }
  const name = text ? "Next-token error" : "Error";
  return { name, axis: `${name} (%)`, unit: `in percent of the ${text ? "tokens" : "examples"}` };
}

/** Writes which examples something was measured on: how many, of which data set and split. */
export function dataWords(data: string, examples: number): string {
  if (FIRST.test(data)) return firstWords(data, examples);
  return `${formatCounted(examples, "example")} of ${nameOf(data)}`;
}

/** Writes that only the first examples of a data set were taken. */
export function firstWords(data: string, examples: number): string {
  return `the first ${formatCounted(examples, "example")} of ${nameOf(data)}`;
}

/**
 * Returns the name of a data set without folders and the number of its examples; of two files, the name of
 * the inputs.
 */
function nameOf(data: string): string {
  return data.replace(FIRST, "").replace(PUBLISHED, "$1").replace(FOLDERS, "").replace(TWO_FILES, "$1");
}
