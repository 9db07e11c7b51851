import { type Tensor, viewBytes } from "@isthmus/core";
import { internTuples } from "../kernels/intern.ts";
import { hashSlices } from "../kernels/slice-hashes.ts";
import { type Field, freezeAll, type Labelled } from "./field.ts";

/**
 * Most elements of a constant whose slices are compared; in a larger constant every index counts as
 * different.
 */
const MAX_COMPARED = 1 << 26;

/**
 * Creates fields for a tensor that depends on neither the input nor a weight: along each axis, equal slices
 * get equal numbers.
 *
 * Axes along which the tensor is uniform carry no field, so that a scalar or a vector of equal numbers
 * freezes nothing, and equal slices stay interchangeable.
 */
export function labelConstant({ shape, data }: Tensor): Labelled {
  if (data.length > MAX_COMPARED) return freezeAll(shape);
  const bytes = viewBytes(data);
  const width = data.BYTES_PER_ELEMENT;
  const words = Math.max(1, width / 4);
  const bits =
    width >= 4
      ? new Int32Array(bytes.slice().buffer)
      : Int32Array.from(data as Uint16Array | Int16Array | Uint8Array | Int8Array);
  const fields: Field[] = [];
  hashSlices(bits, words, shape).forEach(([low, high], axis) => {
    const { ids, count } = internTuples([low, high], low.length);
    if (count > 1) fields.push({ frozen: true, axes: [axis], data: ids });
  });
  return { shape, fields };
}
