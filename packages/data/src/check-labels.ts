import { DTYPES, FormatError, type Tensor } from "@isthmus/core";

/**
 * Largest number of classes, more than any data set has, so
 * that a damaged label cannot claim unlimited memory.
 */
const MAX_CLASSES = 2 ** 24;

/** Label of positions where nothing is predicted. */
export const NO_LABEL = -1;

/** Labels that were checked, and their number of classes. */
export interface CheckedLabels {
  /** Class of each example, `[n]`, or of each position, in a new array. */
  readonly labels: Int32Array;
  readonly classes: number;
}

/** Rules that labels are checked by. */
export interface LabelRules {
  /** Number of classes, which labels must be below; 0 for one more than the largest label. */
  readonly classes: number;
  /** Whether negative labels, usually -100, mark positions where nothing is predicted. @defaultValue false */
  readonly ignoresNegative?: boolean;
}

/**
 * Converts labels of any integer type, and checks that each is in `[0, classes)`.
 * @throws FormatError if labels are not integers, or one is not a class
 */
export function checkLabels(
  name: string,
  labels: Tensor | Int32Array,
  { classes, ignoresNegative = false }: LabelRules,
): CheckedLabels {
  const data = labels instanceof Int32Array ? labels : labels.data;
  if (!(labels instanceof Int32Array) && (DTYPES[labels.dtype].float || labels.dtype === "bool")) {
    throw new FormatError(
      `Cannot use data set "${name}" as labels must be integers, the class of each example: they are ${labels.dtype}`,
      { format: "data set" },
    );
  }
  const end = classes === 0 ? MAX_CLASSES : classes;
  const checked = new Int32Array(data.length);
  let largest = 0;
  for (let i = 0; i < checked.length; i++) {
    // 64-bit labels are BigInt: beyond 2^53 they are rounded, and stay out of range.
    const label = Number(data[i]);
    if (ignoresNegative && label < 0) {
      checked[i] = NO_LABEL;
      continue;
    }
    if (!(label >= 0 && label < end)) {
      throw new FormatError(
        `Cannot use data set "${name}" as labels must be classes from 0 to ${end - 1}: label ${i} is ${label}`,
        { format: "data set" },
      );
    }
    checked[i] = label;
    if (label > largest) largest = label;
  }
  return { labels: checked, classes: classes === 0 ? largest + 1 : classes };
}
