import { simdFor, wholeGroups } from "./simd.ts";
import type { Numbers } from "./task-vectors.ts";

/** Writes `|values| * factor` for one row, rounded to f32. */
export function sizesTimes(values: Numbers, factor: number, out: Float32Array): void {
  const simd = values instanceof Float32Array ? simdFor(values, out) : undefined;
  const count = simd === undefined ? 0 : wholeGroups(out.length);
  simd?.sizesTimes(values.byteOffset, factor, out.byteOffset, count);
  for (let i = count; i < out.length; i++) out[i] = Math.abs(values[i]!) * factor;
}

/** Sets numbers to 0 if their importance is below a threshold, which is rounded to f32. */
export function keepImportant(values: Numbers, importance: Float32Array, threshold: number): void {
  const simd = values instanceof Float32Array ? simdFor(values, importance) : undefined;
  const count = simd === undefined ? 0 : wholeGroups(values.length);
  simd?.keepImportant(values.byteOffset, importance.byteOffset, threshold, count);
  for (let i = count; i < values.length; i++) values[i] = importance[i]! >= threshold ? values[i]! : 0;
}
