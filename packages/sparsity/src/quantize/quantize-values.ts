/** Numbers of bits of the grids of quantised weights. */
export const QUANTIZED_BITS = [8, 4] as const;

/** Number of bits of a grid. */
export type QuantizedBits = (typeof QUANTIZED_BITS)[number];

/** Returns the largest integer of a symmetric grid: 127 for 8 bits, 7 for 4. */
export const levelsOf = (bits: QuantizedBits): number => 2 ** (bits - 1) - 1;

/**
 * Number of significant bits of a scale, so few that its product with any integer of a grid is exact in f32.
 */
const SCALE_BITS = 17;

/**
 * Returns the scale of a grid, the distance of neighbouring values, so that its last value is the largest
 * magnitude; 0 if that is 0.
 *
 * The scale is rounded to 17 bits, so that grid values are exact and quantised values have the same grid.
 */
export function scaleOf(largest: number, levels: number): number {
  if (largest === 0) return 0;
  const exact = largest / levels;
  const unit = 2 ** (Math.floor(Math.log2(exact)) - SCALE_BITS + 1);
  return Math.round(exact / unit) * unit;
}

/** Returns the integer of the grid nearest to a value, the even one if two are equally near. */
export function levelOf(value: number, scale: number, levels: number): number {
  if (scale === 0) return 0;
  const exact = value / scale;
  const below = Math.floor(exact);
  const isHalf = exact - below === 0.5;
  const level = isHalf ? below + (below % 2 === 0 ? 0 : 1) : Math.round(exact);
  return Math.min(levels, Math.max(-levels, level));
}
