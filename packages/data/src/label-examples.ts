import { DTYPES, FormatError, formatShape, sameShape, sizeOf, type Tensor } from "@isthmus/core";
import type { Labelling } from "@isthmus/graph";
import { type CheckedLabels, checkLabels, NO_LABEL } from "./check-labels.ts";

/** Name of the array that says which positions of a text are padding. */
const MASK = "attention_mask";

/** Inputs of a data set, and what is said of them. */
export interface LabelledInputs {
  readonly name: string;
  /** `[n, ...]` */
  readonly inputs: Tensor;
  /** `[n]`, `[n, 1]` or `[n, length]`; undefined for token ids that are their own labels. */
  readonly labels: Tensor | Int32Array | undefined;
  readonly features: ReadonlyMap<string, Tensor>;
  /** What labels are of; undefined to find out by their shape. */
  readonly labelling: Labelling | undefined;
  /** 0 for one more than the largest label. */
  readonly classes: number;
}

/** Labels, and what they are of. */
export interface ExampleLabels extends CheckedLabels {
  readonly labelling: Labelling;
  /** Labels of each example. */
  readonly perExample: number;
}

/**
 * Finds out what the labels of a data set are of, and checks them: one of each example; or one of each position, where a negative one
 * says that nothing is to be predicted, and so does an attention mask of 0. Token ids without labels are to be predicted themselves,
 * each from those before it.
 * @throws FormatError if numbers of labels and examples differ, or a label is not a class
 */
export function labelExamples(labelled: LabelledInputs): ExampleLabels {
  const { name, inputs, labels, classes } = labelled;
  const [count = 0] = inputs.shape;
  if (labels === undefined) {
    if (!isText(inputs)) throw unlabelled(name, inputs, "there are none");
    const checked = checkLabels(name, inputs, { classes });
    return { ...masked(checked, labelled), labelling: "next", perExample: inputs.shape[1] ?? 1 };
  }
  const shape = labels instanceof Int32Array ? [labels.length] : labels.shape;
  if (shape[0] === count && sizeOf(shape) === count && labelled.labelling !== "position") {
    return { ...checkLabels(name, labels, { classes }), labelling: "example", perExample: 1 };
  }
  const length = inputs.shape[1] ?? 0;
  if (!hasPositions(inputs) || !sameShape(shape, [count, length])) {
    throw unlabelled(name, inputs, `labels are ${formatShape(shape)}`);
  }
  const checked = checkLabels(name, labels, { classes, ignoresNegative: true });
  const labelling = labelled.labelling === "next" ? "next" : "position";
  return { ...masked(checked, labelled), labelling, perExample: length };
}

/** Takes the labels away that an attention mask leaves out. */
function masked(checked: CheckedLabels, { features }: LabelledInputs): CheckedLabels {
  const mask = features.get(MASK);
  if (mask?.data.length !== checked.labels.length) return checked;
  const { data } = mask;
  return { ...checked, labels: checked.labels.map((label, i) => (Number(data[i]) === 0 ? NO_LABEL : label)) };
}

/** Token ids `[n, length]`. */
function isText({ dtype, shape }: Tensor): boolean {
  return !DTYPES[dtype].float && dtype !== "u8" && dtype !== "bool" && shape.length === 2;
}

/** Token ids, or rows of numbers for each position. */
function hasPositions(inputs: Tensor): boolean {
  return isText(inputs) || (DTYPES[inputs.dtype].float && inputs.shape.length > 2);
}

function unlabelled(name: string, inputs: Tensor, found: string): FormatError {
  const count = inputs.shape[0] ?? 0;
  const perPosition = hasPositions(inputs)
    ? `, [${count}], or one for each position, [${count}, ${inputs.shape[1]}]`
    : "";
  return new FormatError(
    `Cannot use data set "${name}" as each of its ${count} inputs must have one label${perPosition}: ${found}`,
    { format: "data set" },
  );
}
