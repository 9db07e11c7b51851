import {
  DTYPES,
  FormatError,
  formatShape,
  resolveOptions,
  sizeOf,
  type Tensor,
  toFloat32,
  toFloat32Into,
  viewBytes,
} from "@isthmus/core";
import type { Batch, DataSet, Scaling } from "@isthmus/graph";
import { assertGathers, assertReads, limitTo, wrongBatch } from "./assert-reads.ts";
import { checkLabels } from "./check-labels.ts";
import { createExampleScaler } from "./create-example-scaler.ts";
import { scaleTable, UNIT_SCALING } from "./scaling.ts";

/** Options of {@link createDataSet}. */
export interface CreateDataSetOptions {
  /** Name for messages and results. */
  readonly name: string;
  /** How inputs of bytes become f32; inputs of other types are never scaled. */
  readonly scaling: Scaling;
  /** Number of classes; 0 for one more than the largest label. */
  readonly classes: number;
  /** Number of examples to use, from the first; 0 for all. */
  readonly limit: number;
}

/** Defaults of {@link createDataSet}. */
export const CREATE_DATA_SET_DEFAULTS: CreateDataSetOptions = Object.freeze({
  name: "data",
  scaling: UNIT_SCALING,
  classes: 0,
  limit: 0,
});

/**
 * Makes a data set of `inputs` `[n, ...]` and `labels` `[n]` or `[n, 1]` in memory.
 *
 * Bytes stay bytes until they are read and then are scaled to f32; images of bytes `[n, height, width]` get
 * a channel axis: `[n, 1, height, width]`. Floats of any width are fed as f32, unscaled; other integers, such
 * as token ids, are fed as they are. Shares memory with `inputs`; labels are copied.
 * @throws FormatError if there are no examples, counts differ, or a label is not a class
 * @throws InputError if there are fewer examples than `limit`
 * @throws RangeError if an option is out of its range
 */
export function createDataSet(
  inputs: Tensor,
  labels: Tensor | Int32Array,
  options: Partial<CreateDataSetOptions> = {},
): DataSet {
  const resolved = resolveOptions("create a data set", CREATE_DATA_SET_DEFAULTS, options);
  const { name, scaling } = resolved;
  assertCount("limit", resolved.limit);
  assertCount("classes", resolved.classes);
  const size = limitTo(resolved.limit, countExamples(name, inputs, labels), name);
  const checked = checkLabels(name, labels, resolved.classes);
  const exampleShape = exampleShapeOf(inputs);
  const readInputs = inputReader(inputs, scaling);
  const gatherInputs = inputGatherer(inputs, scaling);
  return Object.freeze({
    name,
    size,
    exampleShape: Object.freeze(exampleShape),
    classes: checked.classes,
    scaling: inputs.dtype === "u8" ? scaling : undefined,
    read(begin: number, end: number) {
      assertReads({ name, size }, begin, end);
      return {
        inputs: { ...readInputs(begin, end), shape: [end - begin, ...exampleShape] },
        labels: checked.labels.slice(begin, end),
      };
    },
    gatherInto(indices: Uint32Array, out: Batch) {
      assertGathers({ name, size, stride: sizeOf(exampleShape) }, indices, out);
      gatherInputs(indices, out.inputs);
      for (let i = 0; i < indices.length; i++) {
        out.labels[i] = checked.labels[indices[i] as number] as number;
      }
      return out;
    },
  });
}

function assertCount(option: "limit" | "classes", value: number): void {
  if (Number.isSafeInteger(value) && value >= 0) return;
  throw new RangeError(`Cannot create a data set as "${option}" must be a whole number: it is ${value}`);
}

function countExamples(name: string, inputs: Tensor, labels: Tensor | Int32Array): number {
  const count = inputs.shape[0] ?? 0;
  if (count === 0 || sizeOf(inputs.shape) === 0) {
    throw new FormatError(
      `Cannot use data set "${name}" as it must have examples: its inputs are ${formatShape(inputs.shape)}`,
      { format: "data set" },
    );
  }
  const shape = labels instanceof Int32Array ? [labels.length] : labels.shape;
  if (shape[0] !== count || sizeOf(shape) !== count) {
    throw new FormatError(
      `Cannot use data set "${name}" as each of its ${count} inputs must have one label: labels are ${formatShape(shape)}`,
      { format: "data set" },
    );
  }
  return count;
}

function exampleShapeOf({ dtype, shape }: Tensor): readonly number[] {
  return dtype === "u8" && shape.length === 3 ? [1, ...shape.slice(1)] : shape.slice(1);
}

/** Reads the elements of examples `[begin, end)`, as they are fed; a copy. */
type InputReader = (begin: number, end: number) => Pick<Tensor, "dtype" | "data">;

function inputReader({ dtype, shape, data }: Tensor, scaling: Scaling): InputReader {
  const stride = sizeOf(shape.slice(1));
  if (dtype === "u8" && data instanceof Uint8Array) {
    const table = scaleTable(scaling);
    return (begin, end) => {
      const scaled = new Float32Array((end - begin) * stride);
      const offset = begin * stride;
      for (let i = 0; i < scaled.length; i++) scaled[i] = table[data[offset + i] as number] as number;
      return { dtype: "f32", data: scaled };
    };
  }
  if (DTYPES[dtype].float) {
    return (begin, end) => ({
      dtype: "f32",
      data: toFloat32(data.subarray(begin * stride, end * stride), dtype),
    });
  }
  return (begin, end) => ({ dtype, data: data.slice(begin * stride, end * stride) });
}

/** Writes the elements of examples as they are fed, one after the other, into a tensor that has room for them. */
type InputGatherer = (indices: Uint32Array, out: Tensor) => void;

function inputGatherer({ dtype, shape, data }: Tensor, scaling: Scaling): InputGatherer {
  const stride = sizeOf(shape.slice(1));
  const forEach = (indices: Uint32Array, write: (from: number, to: number) => void): void => {
    for (let i = 0; i < indices.length; i++) write((indices[i] as number) * stride, i * stride);
  };
  if (dtype === "u8" && data instanceof Uint8Array) {
    const scale = createExampleScaler(data, scaleTable(scaling), stride);
    return (indices, out) => scale(indices, floatsOf(out));
  }
  if (DTYPES[dtype].float) {
    return (indices, out) => {
      const floats = floatsOf(out);
      forEach(indices, (from, to) => {
        toFloat32Into(data.subarray(from, from + stride), dtype, floats.subarray(to, to + stride));
      });
    };
  }
  return (indices, out) => {
    if (out.dtype !== dtype) throw wrongBatch(`its inputs must be ${dtype}: they are ${out.dtype}`);
    const bytes = viewBytes(out.data);
    const width = DTYPES[dtype].bytes;
    forEach(indices, (from, to) => bytes.set(viewBytes(data.subarray(from, from + stride)), to * width));
  };
}

function floatsOf({ dtype, data }: Tensor): Float32Array {
  if (dtype === "f32" && data instanceof Float32Array) return data;
  throw wrongBatch(`its inputs must be f32: they are ${dtype}`);
}
