import { floatKernels } from "./float-kernels.ts";

let table: Float32Array | undefined;

/**
 * Widens one 16-bit floating-point number, as scales of quantised blocks are stored; arrays of them are
 * converted faster by `convertInto`.
 * @param bits - bit pattern of the number, from 0 to 65,535
 */
export function widenHalf(bits: number): number {
  table ??= widenAll();
  return table[bits]!;
}

function widenAll(): Float32Array {
  const out = new Float32Array(65_536);
  const patterns = Uint16Array.from(out, (_, bits) => bits);
  floatKernels().convert({ dtype: "f16", data: patterns }, { dtype: "f32", data: out });
  return out;
}
