import { DTYPES, InputError, sameShape, type Tensor } from "@isthmus/core";
import type { DataSet, Scaling } from "@isthmus/graph";
import { assertFinite } from "./assert-finite.ts";
import { createDataSet } from "./create-data-set.ts";
import type { Examples } from "./examples.ts";
import type { DataSetName } from "./kinds/data-kind.ts";
import type { ResolvedDataOptions } from "./open-data-options.ts";
import { recogniseScaling, UNIT_SCALING } from "./scaling.ts";

/** Facts about examples that follow from their kind of data. */
export interface KnownExamples {
  /** Usual scaling of the kind. @defaultValue the scaling of published images, else `byte / 255` */
  readonly scaling?: Scaling;
  /** Number of classes. @defaultValue one more than the largest label */
  readonly classes?: number;
}

/**
 * Makes a data set of arrays from a file. Bytes are scaled by the scaling in the options, else by the usual
 * scaling.
 * @throws InputError if the options scale inputs that are not bytes, or there are fewer examples than
 *   requested
 * @throws FormatError if inputs and labels do not match, or one of their numbers is NaN or infinite
 */
export function openArrays(
  { name, limit, skip = 0 }: Pick<DataSetName, "name" | "limit" | "skip">,
  examples: Examples,
  { scaling, objective }: Pick<ResolvedDataOptions, "scaling" | "objective">,
  { scaling: usual, classes = 0 }: KnownExamples = {},
): DataSet {
  const {
    inputs,
    labels,
    inputName,
    storedName = "the inputs",
    labelName = "the labels",
    features = new Map<string, Tensor>(),
  } = examples;
  assertFinite(inputs, { name, array: storedName, skip, limit });
  if (labels !== undefined) assertFinite(labels, { name, array: labelName, skip, limit });
  const isNext = objective?.kind !== "continued" && isLanguageModelling(examples);
  const labelling = isNext ? ("next" as const) : undefined;
  const shared = { name, limit, inputName, features, labelling, classes };
  if (inputs.dtype !== "u8" || !(inputs.data instanceof Uint8Array)) {
    if (scaling === undefined) return createDataSet(inputs, labels, shared);
    throw notBytes(name, `${inputs.dtype}${DTYPES[inputs.dtype].float ? ", which are fed as they are" : ""}`);
  }
  return createDataSet(inputs, labels, {
    ...shared,
    scaling: scaling ?? usual ?? recogniseScaling(inputs.data) ?? UNIT_SCALING,
  });
}

/**
 * Checks whether labels repeat the tokens, as is usual for language models, which shift the labels
 * themselves.
 */
function isLanguageModelling({ inputs, labels, labelName }: Examples): boolean {
  if (labels === undefined || !labelName?.includes("labels")) return false;
  if (inputs.shape.length !== 2 || !sameShape(inputs.shape, labels.shape)) return false;
  return labels.data.every(
    (label: number | bigint, i: number) => label < 0 || Number(label) === Number(inputs.data[i]),
  );
}

/** Checks that no scaling is requested for inputs that are not bytes. @throws InputError if one is */
export function assertUnscaled(name: string, scaling: Scaling | undefined, what: string): void {
  if (scaling !== undefined) throw notBytes(name, what);
}

function notBytes(name: string, what: string): InputError {
  return new InputError(`Cannot scale the inputs of "${name}" as they must be bytes: they are ${what}`, {
    input: name,
  });
}
