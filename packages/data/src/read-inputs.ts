import { DTYPES, sizeOf, type Tensor, toFloat32, toFloat32Into, viewBytes } from "@isthmus/core";
import type { Scaling } from "@isthmus/graph";
import { wrongBatch } from "./assert-reads.ts";
import { createExampleScaler } from "./create-example-scaler.ts";
import { scaleTable } from "./scaling.ts";

/** Returns the shape of one example as it is fed; images of bytes without a channel axis get one. */
export function exampleShapeOf({ dtype, shape }: Tensor): readonly number[] {
  return dtype === "u8" && shape.length === 3 ? [1, ...shape.slice(1)] : shape.slice(1);
}

/** Function that reads the elements of examples `[begin, end)`, as they are fed, into a new array. */
export type InputReader = (begin: number, end: number) => Pick<Tensor, "dtype" | "data">;

/** Creates the function that reads examples in order; without a scaling bytes are not converted. */
export function inputReader({ dtype, shape, data }: Tensor, scaling: Scaling | undefined): InputReader {
  const stride = sizeOf(shape.slice(1));
  if (scaling !== undefined && dtype === "u8" && data instanceof Uint8Array) {
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

/** Function that writes the elements of examples as they are fed, one after the other, into a tensor. */
export type InputGatherer = (indices: Uint32Array, out: Tensor) => void;

/** Creates the function that gathers examples in any order; without a scaling bytes are not converted. */
export function inputGatherer({ dtype, shape, data }: Tensor, scaling: Scaling | undefined): InputGatherer {
  const stride = sizeOf(shape.slice(1));
  const forEach = (indices: Uint32Array, write: (from: number, to: number) => void): void => {
    for (let i = 0; i < indices.length; i++) write((indices[i] as number) * stride, i * stride);
  };
  if (scaling !== undefined && dtype === "u8" && data instanceof Uint8Array) {
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
