/** Multiples of powers of ten that levels may have, from fine to coarse. */
const MANTISSAS = [
  [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8],
  [1, 1.5, 2, 3, 5, 7],
  [1, 2, 3, 5],
  [1, 2, 5],
  [1, 3],
  [1],
] as const;

/** Smallest ratio of the ends of a range at which levels grow by factors, and not by equal steps. */
const LOGARITHMIC_FROM = 4;
/** Values below this share of the highest are one band: they would need most of the levels. */
const SMALLEST_SHARE = 1e-3;
const LINEAR_STEPS = [1, 2, 2.5, 5, 10] as const;

/**
 * Lists round numbers strictly between `low` and `high`, ascending, at most `most` of them: by factors (1, 2,
 * 5, ...) if the range spans several times its lower end, else in equal steps. The list is empty if `high` is
 * not above `low`.
 * @param least - the smallest value above 0 that was measured exactly; levels by factors begin there
 */
export function levelsBetween(low: number, high: number, most = 10, least = 0): number[] {
  if (!(high > low)) return [];
  const floor = Math.max(low, least, high * SMALLEST_SHARE);
  const levels =
    high >= LOGARITHMIC_FROM * floor && low >= 0
      ? logarithmicLevels(floor, high, most)
      : linearLevels(low, high, most);
  // Rounding may bring levels of a tiny range onto its ends, or onto each other.
  return levels.filter((level, index) => level > Math.max(low, levels[index - 1] ?? low) && level < high);
}

/**
 * Smallest number of which levels are made. Smaller ones have fewer digits, or are 0 once they are scaled.
 */
const SMALLEST = 1e-300;

/**
 * Lists round numbers by factors between `low` and `high`, ends included; both must be positive. The list is
 * empty if `low` is as good as 0, or `high` is infinite.
 */
export function logarithmicLevels(low: number, high: number, most: number): number[] {
  if (low < SMALLEST || high === Number.POSITIVE_INFINITY) return [];
  const first = Math.floor(Math.log10(low));
  const decades = Array.from(
    { length: Math.ceil(Math.log10(high)) - first + 1 },
    (_, index) => first + index,
  );
  for (const mantissas of MANTISSAS) {
    const levels = decades.flatMap((power) =>
      mantissas
        .map((mantissa) => Number(`${mantissa}e${power}`))
        .filter((level) => level >= low && level <= high),
    );
    if (levels.length <= most) return levels;
  }
  const powers = decades
    .map((power) => Number(`1e${power}`))
    .filter((level) => level >= low && level <= high);
  const stride = Math.ceil(powers.length / most);
  return powers.filter((_, index) => index % stride === 0);
}

function linearLevels(low: number, high: number, most: number): number[] {
  const decade = 10 ** Math.floor(Math.log10((high - low) / most));
  for (const factor of LINEAR_STEPS) {
    const step = factor * decade;
    const first = Math.floor(low / step) + 1;
    const last = Math.ceil(high / step) - 1;
    if (last - first + 1 <= most) {
      return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) =>
        Number(((first + index) * step).toPrecision(12)),
      );
    }
  }
  return [];
}
