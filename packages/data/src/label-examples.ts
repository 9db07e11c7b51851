import { at, DTYPES, FormatError, formatShape, sameShape, sizeOf, type Tensor } from "@isthmus/core";
import type { Labelling } from "@isthmus/graph";
import { type CheckedLabels, checkLabels, NO_LABEL } from "./check-labels.ts";

/** Name of the array that is 0 at positions of a text that are padding. */
const MASK = "attention_mask";

/** Inputs and labels of a data set, and options for them. */
export interface LabelledInputs {
  readonly name: string;
  /** `[n, ...]` */
  readonly inputs: Tensor;
  /** `[n]`, `[n, 1]` or `[n, length]`; undefined for token ids that are their own labels. */
  readonly labels: Tensor | Int32Array | undefined;
  readonly features: ReadonlyMap<string, Tensor>;
  /** Whether labels belong to examples or positions; undefined to decide by their shape. */
  readonly labelling: Labelling | undefined;
  /** Number of classes; 0 for one more than the largest label. */
  readonly classes: number;
}

/** Labels, and whether they belong to examples or positions. */
export interface ExampleLabels extends CheckedLabels {
  readonly labelling: Labelling;
  /** Number of labels of each example. */
  readonly perExample: number;
}

/**
 * Decides whether the labels of a data set belong to examples or to positions, and checks them. At a position
 * with a negative label or an attention mask of 0 nothing is predicted. Token ids without labels are
 * predicted themselves, each from the ids before it.
 * @throws FormatError if the numbers of labels and examples do not match, or a label is not a class
 */
export function labelExamples(labelled: LabelledInputs): ExampleLabels {
  const { name, inputs, labels, classes } = labelled;
  const count = at(inputs.shape, 0, "axis");
  if (labels === undefined) {
    if (!isText(inputs)) throw unlabelled(name, inputs, "there are none");
    const checked = checkLabels(name, inputs, { classes });
    return { ...masked(checked, labelled), labelling: "next", perExample: at(inputs.shape, 1, "axis") };
  }
  const shape = labels instanceof Int32Array ? [labels.length] : labels.shape;
  if (shape[0] === count && sizeOf(shape) === count && labelled.labelling !== "position") {
    return { ...checkLabels(name, labels, { classes }), labelling: "example", perExample: 1 };
  }
  const [, length = 0] = inputs.shape;
  if (!hasPositions(inputs) || !sameShape(shape, [count, length])) {
    throw unlabelled(name, inputs, `labels are ${formatShape(shape)}`);
  }
  const checked = checkLabels(name, labels, { classes, ignoresNegative: true });
  const labelling = labelled.labelling === "next" ? "next" : "position";
  return { ...masked(checked, labelled), labelling, perExample: length };
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
