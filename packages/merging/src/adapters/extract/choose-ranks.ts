import { at, OutOfRangeError } from "@isthmus/core";

/** One module among those whose ranks are chosen together. */
export interface RankedModule {
  /** Name of the weight. */
  readonly name: string;
  /** Squared norm of the difference. */
  readonly squared: number;
  /** Largest singular values of the difference, largest first. */
  readonly values: readonly number[];
  /** Bytes that each further rank takes: a row of `A` and a column of `B`. */
  readonly bytesPerRank: number;
}

/**
 * Chooses the smallest rank whose singular values have a share of the squared norm of a difference; the
 * number of singular values if they have less.
 * @param share - in `(0, 1]`
 * @returns at least 1
 */
export function rankForEnergy(
  { squared, values }: Pick<RankedModule, "squared" | "values">,
  share: number,
): number {
  let sum = 0;
  for (const [i, value] of values.entries()) {
    sum += value ** 2;
    // Rounding may keep the sum of all below the squared norm.
    if (sum >= share * squared * (1 - 1e-6)) return i + 1;
  }
  return Math.max(1, values.length);
}

/**
 * Spreads a number of bytes over modules so that the squared norm of what is left out becomes least: the
 * singular values that gain most for each byte are taken first.
 *
 * Gains of a module fall with its rank, so this is optimal up to the last rank that does not fit.
 * @returns rank of each module, in their order; 0 for modules that get nothing
 */
export function ranksForBytes(modules: readonly RankedModule[], bytes: number): readonly number[] {
  const steps = modules.flatMap(({ values, bytesPerRank }, module) =>
    values.map((value, rank) => ({ module, rank, gain: value ** 2 / bytesPerRank, bytesPerRank })),
  );
  steps.sort((a, b) => b.gain - a.gain || a.rank - b.rank || a.module - b.module);
  const ranks = modules.map(() => 0);
  let left = bytes;
  for (const { module, rank, bytesPerRank, gain } of steps) {
    if (gain === 0 || bytesPerRank > left || at(ranks, module, "rank") !== rank) continue;
    ranks[module] = rank + 1;
    left -= bytesPerRank;
  }
  return ranks;
}

/** How ranks are chosen: exactly one of the three is given, or none for the default rank. */
export interface RankChoice {
  /** Rank of every module, a whole number of at least 1; a smaller weight gets its smaller side. */
  readonly rank?: number | undefined;
  /** Share of the squared norm of each difference that its factors keep, above 0 and at most 1. */
  readonly energy?: number | undefined;
  /** Bytes of the weights of the adapter, tensors that are stored whole included. */
  readonly bytes?: number | undefined;
}

/** Rank of every module if nothing is chosen. */
export const DEFAULT_RANK = 16;

/** Most ranks of a module for which `energy` and `bytes` look. */
export const DEFAULT_MOST = 256;

/**
 * Checks that at most one way of choosing ranks is given, in its range.
 * @throws OutOfRangeError if not
 */
export function assertRankChoice({ rank, energy, bytes }: RankChoice, most: number): void {
  const ways = Object.entries({ rank, energy, bytes }).filter(([, value]) => value !== undefined);
  if (ways.length > 1) {
    throw new OutOfRangeError(
      `Cannot extract an adapter as ranks must be chosen in one way: there are ${ways.map(([name]) => name).join(" and ")}; give one of them`,
    );
  }
  const problems: readonly (readonly [boolean, string, unknown])[] = [
    [isCount(rank ?? 1), "a rank must be a whole number of at least 1", rank],
    [isCount(most), "the largest rank must be a whole number of at least 1", most],
    [isShare(energy ?? 1), "a share of the squared norm must be above 0 and at most 1", energy],
    [isCount(bytes ?? 1), "a number of bytes must be a whole number of at least 1", bytes],
  ];
  const [, rule, value] = problems.find(([isRight]) => !isRight) ?? [];
  if (rule !== undefined) {
    throw new OutOfRangeError(`Cannot extract an adapter as ${rule}: it is ${String(value)}`);
  }
}

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 1;
const isShare = (value: number): boolean => value > 0 && value <= 1;
