import { at } from "@isthmus/core";
import type { ExampleExcess, ExcessByExample } from "../decomposition-result.ts";

/** Quantiles of the excess that are listed. */
const QUANTILES = [0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1] as const;
/** Shares of the examples, in thousandths, whose part of the excess is listed. */
const TOP = [10, 100] as const;
/**
 * Shares of the examples below 1 %, in thousandths, at which the cumulative sum is listed. The sum is
 * steepest below 1 %; from there on it is listed at every percent.
 */
const FIRST_THOUSANDTHS = [0, 1, 2, 5] as const;

/** Losses of the same examples by three networks, `[examples]` each, in nats. */
export interface ExampleLosses {
  /** Losses by network A, in the order of the examples. */
  readonly a: Float64Array;
  /** Losses by network B, in the same order. */
  readonly b: Float64Array;
  /** Losses by the network half-way between them. */
  readonly midpoint: Float64Array;
}

/**
 * Computes which examples carry the excess of the midpoint over the mean of both ends. It needs no further
 * forward pass: the mean excess is the mean of the excesses of all examples.
 *
 * @param worst - number of examples that are listed, in the order of falling excess; among equal ones,
 *   earlier examples come first
 */
export function excessByExample({ a, b, midpoint }: ExampleLosses, worst: number): ExcessByExample {
  const count = midpoint.length;
  const excesses = midpoint.map((loss, i) => loss - (at(a, i, "loss") + at(b, i, "loss")) / 2);
  const order = Array.from({ length: count }, (_, i) => i).sort(
    (i, j) => at(excesses, j, "excess") - at(excesses, i, "excess") || i - j,
  );
  const sums = cumulate(order.map((index) => at(excesses, index, "excess") / count));
  const sumOf = (examples: number) => at(sums, examples, "sum");
  const total = sumOf(count);
  const rise = sums.reduce((highest, sum) => Math.max(highest, sum), 0);
  const shareOf = (excess: number) => (total > 0 ? excess / total : Number.NaN);
  const ascending = excesses.toSorted();
  return {
    rising: excesses.filter((excess) => excess > 0).length / count,
    rise,
    fall: rise - total,
    half: total > 0 ? sums.findIndex((sum) => sum >= total / 2) / count : Number.NaN,
    quantiles: QUANTILES.map((quantile) => ({ quantile, excess: quantileOf(ascending, quantile) })),
    top: TOP.map((thousandths) => {
      const examples = countOf(thousandths, count);
      const excess = sumOf(examples);
      return { share: thousandths / 1000, examples, excess, ofExcess: shareOf(excess) };
    }),
    cumulative: countsToList(count).map((examples) => ({
      share: examples / count,
      excess: sumOf(examples),
    })),
    worst: order.slice(0, worst).map(
      (index): ExampleExcess => ({
        index,
        a: at(a, index, "loss"),
        b: at(b, index, "loss"),
        midpoint: at(midpoint, index, "loss"),
        excess: at(excesses, index, "excess"),
      }),
    ),
  };
}

/** Computes the sums of the first 0, 1, 2, ... values. */
function cumulate(values: readonly number[]): number[] {
  const sums = [0];
  let sum = 0;
  for (const value of values) {
    sum += value;
    sums.push(sum);
  }
  return sums;
}

/**
 * Returns the numbers of examples at which sums are listed, ascending; every number if there are few
 * examples.
 */
function countsToList(count: number): number[] {
  const percents = Array.from({ length: 100 }, (_, percent) => 10 * (percent + 1));
  return [...new Set([...FIRST_THOUSANDTHS, ...percents].map((share) => countOf(share, count)))];
}

/** Converts a share of the examples to a whole number of examples, rounded up. */
const countOf = (thousandths: number, count: number) => Math.ceil((thousandths * count) / 1000);

/**
 * Computes a quantile of sorted values by linear interpolation between the two nearest (Hyndman and Fan 1996,
 * type 7).
 */
function quantileOf(ascending: Float64Array, quantile: number): number {
  const place = quantile * (ascending.length - 1);
  const below = Math.floor(place);
  const [low, high] = [at(ascending, below, "excess"), at(ascending, Math.ceil(place), "excess")];
  return low + (place - below) * (high - low);
}
