/** Mantissas of steps between ticks; the last two cover ranges that the others just miss. */
const ROUND_STEPS = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10, 20] as const;

/** Ends of the axes of a chart, in values. */
export interface Frame {
  /** Left and right end of the horizontal axis. */
  readonly x: readonly [number, number];
  /** Bottom and top of the vertical axis. */
  readonly y: readonly [number, number];
}

/** Checks whether all points have the same horizontal position, so that there are no lines to draw. */
export const isPlace = ({ x: [left, right] }: Frame): boolean => left === right;

/**
 * Finds the ends of the axes around points. The range includes zero unless all values lie far above it; the
 * ends of the vertical axis are round numbers.
 */
export function frameOf(points: readonly (readonly [number, number])[], intervals: number): Frame {
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  const high = Math.max(...ys);
  const low = Math.min(...ys);
  const bottom = low >= 0 && low < 2 * (high - low) ? 0 : low;
  return { x: [Math.min(...xs), Math.max(...xs)], y: roundOut(bottom, high, intervals) };
}

/** Finds the tightest range around `[low, high]` that is divided into `intervals` by round numbers. */
function roundOut(low: number, high: number, intervals: number): [number, number] {
  const extent = high - low || Math.abs(high) || 1;
  const decade = 10 ** Math.floor(Math.log10(extent / intervals));
  for (const factor of ROUND_STEPS) {
    const step = factor * decade;
    const begin = Math.floor(low / step + 1e-9) * step;
    if (begin + intervals * step >= high - 1e-9 * extent) return [begin, begin + intervals * step];
  }
  return [low, low + extent];
}

/** Lists the values beside the vertical axis, from top to bottom. */
export function yTicks({ y: [low, high] }: Frame, intervals: number): number[] {
  return Array.from({ length: intervals + 1 }, (_, index) => high - ((high - low) * index) / intervals);
}
