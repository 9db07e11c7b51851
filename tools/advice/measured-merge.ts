import { readFile, truncate } from "node:fs/promises";
import type { GradientSigns, NetworkComparison } from "@isthmus/recipe";

/** A merge that was measured: a line of `merges.jsonl`. */
export interface MeasuredMerge {
  readonly name: string;
  /** Name of the way in which the networks were trained, such as `halves`. */
  readonly kind: string;
  /** Architecture and data. */
  readonly world: string;
  /** Share of right answers on each task, by the way to merge. */
  readonly scores: Readonly<Record<string, readonly number[]>>;
  /** Share of right answers on each task of each network by itself, and of the base if there is one. */
  readonly singles: readonly (readonly number[])[];
  readonly gradients: GradientSigns;
  readonly comparison: NetworkComparison;
}

/**
 * Reads the lines of a file of JSON; none if there is no file yet. A last line that an interruption cut is cut off the
 * file, so that the next line starts on its own.
 */
export async function readLines<T>(path: string): Promise<T[]> {
  const text = await readFile(path, "utf8").catch(() => "");
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  if (whole !== text) await truncate(path, Buffer.byteLength(whole));
  return whole.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as T]));
}

/** Returns the mean of some numbers. */
export const meanOf = (numbers: readonly number[]): number =>
  numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
