import {
  at,
  DTYPES,
  FormatError,
  formatShape,
  sameShape,
  sizeOf,
  type Tensor,
  toFloat64,
} from "@isthmus/core";
import type { Labelling } from "@isthmus/graph";
import { MAX_CLASSES } from "./limits.ts";
import { exampleShapeOf } from "./read-inputs.ts";

/** Name of the array that is 0 at padding positions of a text. */
const MASK = "attention_mask";

/** Inputs and labels of a data set, and options for them. */
export interface LabelledInputs {
  /** Name of the data set, for messages. */
  readonly name: string;
  /** Inputs, `[n, ...]`. */
  readonly inputs: Tensor;
  /**
   * Labels of any type and shape, one row for each input; undefined for token ids that are their own labels.
   */
  readonly labels: Tensor | Int32Array | undefined;
  /** Further arrays by name, one row for each input, such as an attention mask; empty if there are none. */
  readonly features: ReadonlyMap<string, Tensor>;
  /** Whether labels belong to examples, positions or pixels; undefined to decide by their shape. */
  readonly labelling: Labelling | undefined;
  /** Number of classes; 0 for one more than the largest label. */
  readonly classes: number;
}

/** Labels, and whether they belong to examples, positions or pixels. */
export interface ExampleLabels extends CheckedLabels {
  /** Subject of the labels: examples, positions, the next tokens, or pixels. */
  readonly labelling: Labelling;
  /** Number of labels of each example; 0 if there are no classes. */
  readonly perExample: number;
  /** Description of labels that are not classes. */
  readonly unlabelled?: string;
  /** Labels that are not classes, `[n, ...]`, such as numbers to be approximated. */
  readonly targets?: Tensor;
}

/**
 * Decides whether the labels of a data set belong to examples, positions or pixels, and checks them. A
 * position or pixel with a negative label, or with an attention mask of 0, does not count. Token ids without
 * labels are predicted themselves, each from the earlier ids. Other data without labels, or with labels that
 * are not classes, get no labels: numbers to be approximated are targets of other losses.
 * @throws FormatError if the numbers of labels and examples do not match, or a whole number is not a class
 */
export function labelExamples(labelled: LabelledInputs): ExampleLabels {
  const { name, inputs, labels, classes } = labelled;
  const count = at(inputs.shape, 0, "axis");
  if (labelled.labelling === "none") return withoutClasses("they were left out");
  if (labels === undefined) {
    if (!isText(inputs)) return withoutClasses("it has no labels");
    const checked = checkLabels(name, inputs, { classes });
    return { ...masked(checked, labelled), labelling: "next", perExample: at(inputs.shape, 1, "axis") };
  }
  const shape = labels instanceof Int32Array ? [labels.length] : labels.shape;
  if (shape[0] === count && !areWhole(labels)) return withTargets(labels, describeLabels(labels));
  if (shape[0] === count && sizeOf(shape) === count && labelled.labelling !== "position") {
    return { ...checkLabels(name, labels, { classes }), labelling: "example", perExample: 1 };
  }
  return labelParts(labelled, labels, shape);
}

/** Labels the positions or the pixels of examples, or keeps labels that are neither as targets. */
function labelParts(
  labelled: LabelledInputs,
  labels: Tensor | Int32Array,
  shape: readonly number[],
): ExampleLabels {
  const { name, inputs, classes, labelling: asked } = labelled;
  const [count = 0, length = 0] = inputs.shape;
  const isRow = shape[0] === count;
  const isPerPosition = hasPositions(inputs) && sameShape(shape, [count, length]);
  if (isRow && (asked === "pixel" || (asked === undefined && !isPerPosition && arePixels(inputs, shape)))) {
    const pixels = checkLabels(name, labels, { classes, ignoresNegative: true });
    return { ...pixels, labelling: "pixel", perExample: sizeOf(shape.slice(1)) };
  }
  if (isPerPosition) {
    const positions = checkLabels(name, labels, { classes, ignoresNegative: true });
    const labelling = asked === "next" ? "next" : "position";
    return { ...masked(positions, labelled), labelling, perExample: length };
  }
  if (isRow && asked === undefined)
    return withTargets(labels, describeLabels(labels) + describePositions(inputs));
  throw unlabelled(name, inputs, `labels are ${formatShape(shape)}`);
}

function withoutClasses(reason: string): ExampleLabels {
  return { labels: new Int32Array(0), classes: 0, labelling: "none", perExample: 0, unlabelled: reason };
}

function withTargets(labels: Tensor | Int32Array, reason: string): ExampleLabels {
  const isTensor = !(labels instanceof Int32Array);
  return { ...withoutClasses(reason), ...(isTensor && { targets: labels }) };
}

/** Checks whether labels have the height and width of images, or the extents of another grid. */
function arePixels(inputs: Tensor, labels: readonly number[]): boolean {
  const extents = labels[1] === 1 ? labels.slice(2) : labels.slice(1);
  const example = exampleShapeOf(inputs);
  if (extents.length === 0 || example.length !== extents.length + 1) return false;
  return sameShape(extents, example.slice(1)) || sameShape(extents, example.slice(0, -1));
}

function describeLabels(labels: Tensor | Int32Array): string {
  if (labels instanceof Int32Array) return `its labels are i32 [${labels.length}]`;
  return `its labels are ${labels.dtype} ${formatShape(labels.shape)}${adviceFor(labels)}`;
}

/** Says how labels that may stand for classes are stored as such; empty for other numbers. */
function adviceFor(labels: Tensor): string {
  if (areOneHot(labels)) return ", rows with a one at the class: give the index of the one";
  const isOne = DTYPES[labels.dtype].float && sizeOf(labels.shape.slice(1)) === 1;
  const areClasses = isOne && toFloat64(labels.data, labels.dtype).every(isClass);
  return areClasses ? ", whole numbers: if they are classes, store them as integers (y.astype(int64))" : "";
}

const isClass = (value: number): boolean => Number.isInteger(value) && value >= 0 && value < MAX_CLASSES;

/** Describes the shape of labels of positions; empty for inputs without positions. */
function describePositions(inputs: Tensor): string {
  const [count, length] = inputs.shape;
  return hasPositions(inputs) ? `, of positions they would be [${count}, ${length}]` : "";
}

/** Checks whether labels are rows of zeros with a single 1. */
function areOneHot({ dtype, shape, data }: Tensor): boolean {
  const [rows = 0, columns = 0] = shape;
  if (shape.length !== 2 || columns < 2) return false;
  const values = toFloat64(data, dtype);
  const ones = values.filter((value) => value === 1).length;
  return (
    ones === rows &&
    values.every((value) => value === 0 || value === 1) &&
    Array.from({ length: rows }, (_, row) => values.subarray(row * columns, (row + 1) * columns)).every(
      (row) => row.includes(1),
    )
  );
}

function areWhole(labels: Tensor | Int32Array): boolean {
  return labels instanceof Int32Array || !(DTYPES[labels.dtype].float || labels.dtype === "bool");
}

/** Removes the labels of positions at which an attention mask is 0. */
function masked(checked: CheckedLabels, { features }: LabelledInputs): CheckedLabels {
  const mask = features.get(MASK);
  if (mask?.data.length !== checked.labels.length) return checked;
  const { data } = mask;
  return { ...checked, labels: checked.labels.map((label, i) => (Number(data[i]) === 0 ? NO_LABEL : label)) };
}

/** Checks whether inputs are token ids `[n, length]`. */
function isText({ dtype, shape }: Tensor): boolean {
  return !DTYPES[dtype].float && dtype !== "u8" && dtype !== "bool" && shape.length === 2;
}

/** Checks whether inputs have positions: token ids, or rows of floats `[n, length, ...]`. */
function hasPositions(inputs: Tensor): boolean {
  return isText(inputs) || (DTYPES[inputs.dtype].float && inputs.shape.length > 2);
}

function unlabelled(name: string, inputs: Tensor, problem: string): FormatError {
  const count = at(inputs.shape, 0, "axis");
  const perPosition = hasPositions(inputs)
    ? `, [${count}], or one for each position, [${count}, ${inputs.shape[1]}]`
    : "";
  return new FormatError(
    `Cannot use data set "${name}" as each of its ${count} inputs must have one label${perPosition}: ${problem}`,
    { format: "data set" },
  );
}

/** Label of positions that do not count. */
const NO_LABEL = -1;

/** Checked labels, and their number of classes. */
interface CheckedLabels {
  /** Class of each example, `[n]`, or of each position, in a new array. */
  readonly labels: Int32Array;
  readonly classes: number;
}

/** Rules by which labels are checked. */
interface LabelRules {
  /** Number of classes, which labels must be below; 0 for one more than the largest label. */
  readonly classes: number;
  /** Whether negative labels, usually -100, mark positions that do not count. @defaultValue false */
  readonly ignoresNegative?: boolean;
}

/**
 * Converts labels of any integer type, and checks that each is in `[0, classes)`.
 * @throws FormatError if a label is not a class
 */
function checkLabels(
  name: string,
  labels: Tensor | Int32Array,
  { classes, ignoresNegative = false }: LabelRules,
): CheckedLabels {
  const data = labels instanceof Int32Array ? labels : labels.data;
  const end = classes === 0 ? MAX_CLASSES : classes;
  const checked = new Int32Array(data.length);
  let largest = 0;
  for (let i = 0; i < checked.length; i++) {
    // 64-bit labels are BigInt: beyond 2^53 they are rounded, and remain out of range.
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
