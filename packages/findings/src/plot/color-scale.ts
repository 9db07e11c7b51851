import { levelsBetween, logarithmicLevels } from "./levels.ts";

/** Bands of values, each of one colour, the same for all pictures that are to be compared. */
export interface ColorScale {
  /** Values at which one band ends and the next begins, ascending. */
  readonly levels: readonly number[];
  /** Colours of the bands: from dark to light, or from blue over a neutral one to red. */
  readonly colors: "sequential" | "diverging";
  /** The value of all cells if they are equal, so that there is one band. */
  readonly only?: number;
}

/** Largest number of levels of a picture whose cells are small. */
const MOST_LEVELS = 9;
/**
 * Largest number of levels on either side of zero, and the share of the largest value below which a value
 * counts as zero.
 */
const SIDE = { levels: 4, share: 0.05 } as const;
/**
 * Makes a scale from dark to light of all finite values of the pictures that it is for.
 * @param least - the smallest value above 0 that was measured exactly, such as the error of one example
 */
export function sequentialScale(
  values: readonly number[],
  most: number = MOST_LEVELS,
  least = 0,
): ColorScale {
  const finite = values.filter(Number.isFinite);
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  const scale = sequential(levelsBetween(low, high, most, least));
  return low === high ? { ...scale, only: low } : scale;
}

/** Share of the highest value below which others are one band, in scales by factors. */
const FACTOR_FLOOR = 1e-4;

/**
 * Makes a scale from dark to light whose bands grow by factors, for values of at least 0 that differ by
 * orders of magnitude.
 */
export function factorScale(values: readonly number[], most: number = MOST_LEVELS): ColorScale {
  const positive = values.filter((value) => Number.isFinite(value) && value > 0);
  const high = Math.max(0, ...positive);
  const low = Math.max(Math.min(...positive), FACTOR_FLOOR * high);
  return sequential(high > 0 ? logarithmicLevels(low, high, most).filter((level) => level < high) : []);
}

/** Bands of a scale from 0 to 1. */
const UNIT_BANDS = 10;

/** Makes a scale from dark to light of ten equal bands from 0 to 1, the same for all pictures. */
export function unitScale(): ColorScale {
  return sequential(Array.from({ length: UNIT_BANDS - 1 }, (_, i) => (i + 1) / UNIT_BANDS));
}

const sequential = (levels: readonly number[]): ColorScale => ({ levels, colors: "sequential" });

/**
 * Makes a scale of values with signs: zero and values near it are neutral, values below are blue, values
 * above are red. Both sides have the same levels, which grow by factors.
 */
export function divergingScale(values: readonly number[]): ColorScale {
  const largest = Math.max(0, ...values.filter(Number.isFinite).map(Math.abs));
  const side =
    largest === 0
      ? []
      : logarithmicLevels(SIDE.share * largest, largest, SIDE.levels).filter((level) => level < largest);
  return {
    levels: [...side.toReversed().map((level) => -level), ...side],
    colors: "diverging",
  };
}
