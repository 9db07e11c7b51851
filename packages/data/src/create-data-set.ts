import { FormatError, formatShape, resolveOptions, sizeOf, type Tensor } from "@isthmus/core";
import type { Batch, DataSet, Labelling, Scaling } from "@isthmus/graph";
import { assertGathers, assertReads, limitTo } from "./assert-reads.ts";
import { createFeatures } from "./create-features.ts";
import { type ExampleLabels, labelExamples } from "./label-examples.ts";
import { exampleShapeOf, inputGatherer, inputReader } from "./read-inputs.ts";
import { UNIT_SCALING } from "./scaling.ts";

/** Options of {@link createDataSet}. */
export interface CreateDataSetOptions {
  /** Name for messages and results. */
  readonly name: string;
  /** How inputs of bytes become f32; inputs of other types are never scaled. */
  readonly scaling: Scaling;
  /** Name of the array that inputs are of, by which inputs of a graph are told apart. */
  readonly inputName: string | undefined;
  /** Further arrays `[n, ...]` by name, such as an attention mask; floats are fed as f32, integers as they are. */
  readonly features: ReadonlyMap<string, Tensor>;
  /** What labels are of; undefined to find out by their shape: `[n, length]` are those of positions. */
  readonly labelling: Labelling | undefined;
  /** Number of classes; 0 for one more than the largest label. */
  readonly classes: number;
  /** Number of examples to use, from the first; 0 for all. */
  readonly limit: number;
}

/** Defaults of {@link createDataSet}. */
export const CREATE_DATA_SET_DEFAULTS: CreateDataSetOptions = Object.freeze({
  name: "data",
  scaling: UNIT_SCALING,
  inputName: undefined,
  features: new Map(),
  labelling: undefined,
  classes: 0,
  limit: 0,
});

/**
 * Makes a data set of `inputs` `[n, ...]` and `labels` `[n]`, `[n, 1]` or `[n, length]` in memory.
 *
 * Bytes stay bytes until they are read and then are scaled to f32; images of bytes `[n, height, width]` get
 * a channel axis: `[n, 1, height, width]`. Floats of any width are fed as f32, unscaled; other integers, such
 * as token ids, are fed as they are. Shares memory with `inputs`; labels are copied.
 *
 * Labels `[n, length]` are those of each position of token ids `[n, length]`, or of rows of floats `[n, length, ...]`; negative ones
 * count for nothing, and so do positions at which a feature `attention_mask` is 0. Token ids without labels (`undefined`) are to be
 * predicted themselves, each from those before it.
 * @throws FormatError if there are no examples, counts differ, or a label is not a class
 * @throws InputError if there are fewer examples than `limit`
 * @throws RangeError if an option is out of its range
 */
export function createDataSet(
  inputs: Tensor,
  labels: Tensor | Int32Array | undefined,
  options: Partial<CreateDataSetOptions> = {},
): DataSet {
  const resolved = resolveOptions("create a data set", CREATE_DATA_SET_DEFAULTS, options);
  const { name, scaling, inputName, features } = resolved;
  assertCount("limit", resolved.limit);
  assertCount("classes", resolved.classes);
  assertExamples(name, inputs, features);
  const labelled = labelExamples({ ...resolved, inputs, labels });
  const { perExample, labelling } = labelled;
  const size = limitTo(resolved.limit, inputs.shape[0] ?? 0, name);
  const exampleShape = exampleShapeOf(inputs);
  const readInputs = inputReader(inputs, scaling);
  const gatherInputs = inputGatherer(inputs, scaling);
  const further = createFeatures(features, scaling);
  return Object.freeze({
    name,
    size,
    exampleShape: Object.freeze(exampleShape),
    ...(inputName === undefined ? {} : { inputName }),
    ...(further === undefined ? {} : { features: further.infos }),
    ...(labelling === "example" ? {} : { labelling }),
    classes: labelled.classes,
    scaling: inputs.dtype === "u8" ? scaling : undefined,
    read(begin: number, end: number) {
      assertReads({ name, size }, begin, end);
      return {
        inputs: { ...readInputs(begin, end), shape: [end - begin, ...exampleShape] },
        ...(further === undefined ? {} : { features: further.read(begin, end) }),
        labels: labelled.labels.slice(begin * perExample, end * perExample),
      };
    },
    gatherInto(indices: Uint32Array, out: Batch) {
      assertGathers({ name, size, stride: sizeOf(exampleShape), perExample }, indices, out);
      gatherInputs(indices, out.inputs);
      further?.gatherInto(indices, out);
      gatherLabels(labelled, indices, out.labels);
      return out;
    },
  });
}

function gatherLabels({ labels, perExample }: ExampleLabels, indices: Uint32Array, out: Int32Array): void {
  if (perExample === 1) {
    for (let i = 0; i < indices.length; i++) out[i] = labels[indices[i] as number] as number;
    return;
  }
  for (let i = 0; i < indices.length; i++) {
    const first = (indices[i] as number) * perExample;
    out.set(labels.subarray(first, first + perExample), i * perExample);
  }
}

function assertCount(option: "limit" | "classes", value: number): void {
  if (Number.isSafeInteger(value) && value >= 0) return;
  throw new RangeError(`Cannot create a data set as "${option}" must be a whole number: it is ${value}`);
}

function assertExamples(name: string, inputs: Tensor, features: ReadonlyMap<string, Tensor>): void {
  const count = inputs.shape[0] ?? 0;
  if (count === 0 || sizeOf(inputs.shape) === 0) {
    throw new FormatError(
      `Cannot use data set "${name}" as it must have examples: its inputs are ${formatShape(inputs.shape)}`,
      { format: "data set" },
    );
  }
  for (const [feature, { shape }] of features) {
    if (shape[0] === count) continue;
    throw new FormatError(
      `Cannot use data set "${name}" as "${feature}" must have a row for each of the ${count} inputs: it is ${formatShape(shape)}`,
      { format: "data set" },
    );
  }
}
