/** Bits of the grids that weights can be put on. */
export const QUANTIZED_BITS = [8, 4] as const;

/** Bits of a grid. */
export type QuantizedBits = (typeof QUANTIZED_BITS)[number];

/** Returns the largest whole number of a symmetric grid: 127 for 8 bits, 7 for 4. */
export const levelsOf = (bits: QuantizedBits): number => 2 ** (bits - 1) - 1;

/** Bits of a scale, so that its product with any whole number of a grid is exact in f32. */
const SCALE_BITS = 17;

/**
 * Returns the distance of neighbours on the grid whose last value is the largest magnitude, 0 for 0.
 *
 * It is rounded to 17 bits, so that grid values are exact and values on the grid have the same grid.
 */
export function scaleOf(largest: number, levels: number): number {
  if (largest === 0) return 0;
  const exact = largest / levels;
  const unit = 2 ** (Math.floor(Math.log2(exact)) - SCALE_BITS + 1);
  return Math.round(exact / unit) * unit;
}

/** Returns the whole number of the grid next to a value, an even one of two as near. */
export function levelOf(value: number, scale: number, levels: number): number {
  if (scale === 0) return 0;
  const exact = value / scale;
  const below = Math.floor(exact);
  const isHalf = exact - below === 0.5;
  const level = isHalf ? below + (below % 2 === 0 ? 0 : 1) : Math.round(exact);
  return Math.min(levels, Math.max(-levels, level));
}
