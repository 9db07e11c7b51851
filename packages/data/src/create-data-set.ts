import {
  at,
  DTYPES,
  entry,
  FormatError,
  formatShape,
  OutOfRangeError,
  resolveOptions,
  sizeOf,
  type Tensor,
  type TensorInfo,
} from "@isthmus/core";
import type { Batch, DataSet, Labelling, Scaling } from "@isthmus/graph";
import { assertGathers, assertReads, limitTo, wrongBatch } from "./assert-reads.ts";
import { type ExampleLabels, labelExamples } from "./label-examples.ts";
import { exampleShapeOf, inputGatherer, inputReader } from "./read-inputs.ts";
import { UNIT_SCALING } from "./scaling.ts";

/** Options of {@link createDataSet}. */
export interface CreateDataSetOptions {
  /** Name of the data set for messages and results. */
  readonly name?: string;
  /** Scaling of inputs of bytes to f32; inputs of other types are never scaled. */
  readonly scaling?: Scaling;
  /** Name of the array of inputs, by which it is matched with an input of a graph. */
  readonly inputName?: string | undefined;
  /**
   * Further arrays `[n, ...]` by name, such as an attention mask; floats are fed as f32, integers unchanged.
   */
  readonly features?: ReadonlyMap<string, Tensor>;
  /**
   * Whether labels belong to examples, positions or pixels; undefined to decide by their shape: `[n, length]`
   * belong to positions, `[n, height, width]` to pixels; `none` ignores them.
   */
  readonly labelling?: Labelling | undefined;
  /** Number of classes; 0 for one more than the largest label. */
  readonly classes?: number;
  /** Number of examples to use, from the first; 0 for all. */
  readonly limit?: number;
}

/** Defaults of {@link createDataSet}. */
const CREATE_DATA_SET_DEFAULTS: Required<CreateDataSetOptions> = Object.freeze({
  name: "data",
  scaling: UNIT_SCALING,
  inputName: undefined,
  features: new Map(),
  labelling: undefined,
  classes: 0,
  limit: 0,
});

/**
 * Creates a data set of `inputs` `[n, ...]` and `labels` in memory: classes `[n]`, `[n, 1]`, `[n, length]` or
 * `[n, height, width]`, or labels that are not classes, or no labels.
 *
 * Bytes are stored as bytes and scaled to f32 when they are read; images of bytes `[n, height, width]` get a
 * channel axis: `[n, 1, height, width]`. Floats of any width are fed as f32, unscaled; other integers, such
 * as token ids, are fed unchanged. Shares memory with `inputs`; labels are copied.
 *
 * Labels `[n, length]` belong to the positions of token ids `[n, length]`, or of rows of floats
 * `[n, length, ...]`; negative labels do not count, nor do positions at which a feature `attention_mask` is
 * 0. Labels of the height and width of images belong to pixels; negative ones do not count. Without labels
 * (`undefined`), token ids are predicted themselves, each from the ids before it. Other data without labels
 * have no classes. Labels with fractions or further axes are not classes, either: they become a feature
 * `labels`, with which other losses compare outputs.
 * @throws FormatError if there are no examples, counts differ, or a whole number is not a class
 * @throws InputError if there are fewer examples than `limit`
 * @throws OutOfRangeError if an option is out of its range
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createTensor } from "@isthmus/core";
 * import { createDataSet } from "@isthmus/data";
 *
 * const points = createTensor("f32", [4, 2], Float32Array.of(0, 0, 0, 1, 1, 0, 1, 1));
 * const data = createDataSet(points, Int32Array.of(0, 1, 1, 0), { name: "exclusive or" });
 * assert.deepEqual([data.size, data.classes, data.exampleShape], [4, 2, [2]]);
 * assert.deepEqual(data.read(1, 2).inputs.data, Float32Array.of(0, 1));
 * ```
 */
export function createDataSet(
  inputs: Tensor,
  labels: Tensor | Int32Array | undefined,
  options: CreateDataSetOptions = {},
): DataSet {
  const resolved = resolveOptions("create a data set", CREATE_DATA_SET_DEFAULTS, options);
  const { name, scaling, inputName } = resolved;
  assertCount("limit", resolved.limit);
  assertCount("classes", resolved.classes);
  assertExamples(name, inputs, resolved.features);
  const labelled = labelExamples({ ...resolved, inputs, labels });
  const { perExample, labelling, unlabelled, targets } = labelled;
  const features =
    targets === undefined ? resolved.features : new Map([...resolved.features, [TARGETS, targets]]);
  const size = limitTo(resolved.limit, at(inputs.shape, 0, "axis"), name);
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
    ...(unlabelled === undefined ? {} : { unlabelled }),
    ...(targets === undefined ? {} : { targets: TARGETS }),
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

/** Name of the feature that contains labels which are not classes. */
const TARGETS = "labels";

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
  throw new OutOfRangeError(`Cannot create a data set as "${option}" must be a whole number: it is ${value}`);
}

function assertExamples(name: string, inputs: Tensor, features: ReadonlyMap<string, Tensor>): void {
  const [count = 0] = inputs.shape;
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

/** Further arrays of a data set. */
interface Features {
  /** Type and shape of one example of each array, in the form that is fed. */
  readonly infos: ReadonlyMap<string, TensorInfo>;
  /** Reads examples `[begin, end)` of all arrays. */
  read(begin: number, end: number): ReadonlyMap<string, Tensor>;
  /**
   * Writes the examples at `indices` of all arrays into a batch.
   * @throws OutOfRangeError if the batch has no space for one of the arrays
   */
  gatherInto(indices: Uint32Array, out: Batch): void;
}

/**
 * Creates the functions that read further arrays `[n, ...]`: floats as f32, images of bytes scaled, other
 * integers unchanged; returns undefined if there are none.
 */
function createFeatures(features: ReadonlyMap<string, Tensor>, imageScaling: Scaling): Features | undefined {
  if (features.size === 0) return undefined;
  const readers = [...features].map(([name, tensor]) => {
    const { dtype, shape } = tensor;
    // Rows of bytes are masks and flags, rather than shades of grey.
    const scaling = dtype === "u8" && shape.length > 2 ? imageScaling : undefined;
    const isFloat = DTYPES[dtype].float || scaling !== undefined;
    const info: TensorInfo = { dtype: isFloat ? "f32" : dtype, shape: exampleShapeOf(tensor) };
    const read = inputReader(tensor, scaling);
    return { name, info, read, gather: inputGatherer(tensor, scaling) };
  });
  return {
    infos: new Map(readers.map(({ name, info }) => [name, info])),
    read: (begin, end) =>
      new Map(
        readers.map(({ name, info, read }) => [
          name,
          { ...read(begin, end), shape: [end - begin, ...info.shape] },
        ]),
      ),
    gatherInto(indices, { features: room = new Map<string, Tensor>() }) {
      for (const { name, info, gather } of readers) {
        const tensor = room.get(name);
        if (tensor?.data.length !== indices.length * sizeOf(info.shape)) {
          throw wrongBatch(`it must have room for ${indices.length} rows of "${name}"`);
        }
        gather(indices, entry(room, name, "feature"));
      }
    },
  };
}
