import { toFloat32 } from "../../tensor/convert.ts";
import type { DType } from "../../tensor/dtype.ts";
import { allocateData, viewBytes } from "../../tensor/tensor.ts";
import type { ReadPart } from "./piece.ts";

/** Makes a function that reads elements of any type of floats as f32. */
export function convertedReader(read: ReadPart, dtype: DType): ReadPart {
  if (dtype === "f32") return read;
  return async (begin, out) => {
    const stored = allocateData(dtype, out.length);
    await read(begin, stored);
    viewBytes(out).set(viewBytes(toFloat32(stored, dtype)));
  };
}
