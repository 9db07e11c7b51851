import { at } from "@isthmus/core";
import type { BarrierPrediction, LayersResult, PredictedPoint } from "../layers-result.ts";
import type { PointReader } from "./create-point-reader.ts";
import { sharesAt } from "./cut-points.ts";
import { ALL_GROUPS } from "./group-layers.ts";
import type { LossExpansion } from "./predict-barriers.ts";

/** Groups and places for which barriers are predicted, and the expansions from which they are predicted. */
export interface PredictionTask {
  /** Groups by name, in the order of the expansions. */
  readonly groups: readonly { readonly name: string }[];
  /** Second-order expansions of the loss at A and at B. */
  readonly ends: readonly [LossExpansion, LossExpansion];
  /** Places on the path at which predictions are compared with measurements, evenly spaced from 0 to 1. */
  readonly places: readonly number[];
  /** Number of examples of prediction and measurement. */
  readonly examples: number;
}

/**
 * Compares predicted barriers with barriers measured on the same examples, for every group and for all at
 * once.
 */
export async function compareWithPredictions(
  reader: PointReader,
  { groups, ends, places, examples }: PredictionTask,
): Promise<NonNullable<LayersResult["predictions"]>> {
  const [a, b] = ends;
  const all = groups.map((_, group) => group);
  const sets = [
    ...groups.map(({ name }, group) => ({ name, moving: [group] })),
    { name: ALL_GROUPS, moving: all },
  ];
  const barriers: BarrierPrediction[] = [];
  for (const { name, moving } of sets) {
    const [fromA, fromB] = [alongGroups(a, moving), alongGroups(b, moving)];
    const points: PredictedPoint[] = [];
    for (const [index, t] of places.entries()) {
      const measured = await measureRise(reader, { moving, index, places, count: groups.length });
      points.push({ t, predicted: predictRise(fromA, fromB, t), measured });
    }
    barriers.push({
      group: name,
      predicted: highest(points.map((point) => point.predicted)),
      measured: highest(points.map((point) => point.measured)),
      points,
      ends: [
        { network: "a", ...fromA },
        { network: "b", ...fromB },
      ],
    });
  }
  const middles = barriers.slice(0, -1).map(({ points }) => at(points, (points.length - 1) / 2, "place"));
  return {
    barriers,
    rankCorrelation: rankCorrelation(
      middles.map((point) => point.predicted),
      middles.map((point) => point.measured),
    ),
    interactions: ends.map(({ network, curvatures }) => ({ network, curvatures })),
    examples,
  };
}

/** Place on the path on which some groups move. */
interface Rise {
  readonly moving: readonly number[];
  readonly places: readonly number[];
  /** Index of the place among `places`, from A. */
  readonly index: number;
  /** Number of all groups. */
  readonly count: number;
}

/**
 * Measures `(1 - t) L(A + t d) + t L(B - (1 - t) d) - [(1 - t) L(A) + t L(B)]`, where `d` is the difference
 * from A to B in the moving groups and 0 in the others.
 */
async function measureRise(reader: PointReader, { moving, places, index, count }: Rise): Promise<number> {
  const lossAt = async (fixed: "a" | "b", step: number) =>
    (await reader.at(sharesAt({ moving, fixed }, at(places, step, "place"), count))).sampleLoss;
  const last = places.length - 1;
  if (index === 0 || index === last) return 0;
  const t = at(places, index, "place");
  // If all groups move, both networks are the same one, and the cut from B is not measured.
  const fromA = await lossAt("a", index);
  const fromB = moving.length === count ? fromA : await lossAt("b", last - index);
  const chord = (1 - t) * (await lossAt("a", 0)) + t * (await lossAt("b", 0));
  return (1 - t) * fromA + t * fromB - chord;
}

/** Returns the largest value, or NaN if one is NaN. */
function highest(values: readonly number[]): number {
  return values.reduce((max, value) => Math.max(max, value), Number.NEGATIVE_INFINITY);
}

/** Slope and curvature of the loss along a path, by t from A to B. */
export interface WayDerivatives {
  /** First derivative of the loss by t, in nats. */
  readonly slope: number;
  /** Second derivative of the loss by t, in nats. */
  readonly curvature: number;
}

/** Computes slope and curvature along the path that moves some groups at once. */
export function alongGroups(
  { slopes, curvatures }: LossExpansion,
  groups: readonly number[],
): WayDerivatives {
  const sum = (values: readonly number[]) =>
    groups.reduce((total, group) => total + at(values, group, "group"), 0);
  return {
    slope: sum(slopes),
    curvature: groups.reduce((total, group) => total + sum(at(curvatures, group, "group")), 0),
  };
}

/**
 * Predicts the rise above the chord at `t` from the expansions at both ends:
 * `(1 - t) E_A(t) + t E_B(t) - [(1 - t) L(A) + t L(B)]`, where `E` is the quadratic expansion of the loss at
 * an end. With slopes `s` and curvatures `c` by t this is
 * `t (1 - t) [s_A - s_B + (t c_A + (1 - t) c_B) / 2]`.
 *
 * The nearer end counts more. The prediction is exact where the loss is quadratic along the path. For groups,
 * whose paths from A and from B differ, it predicts the mean of both, see `BarrierPrediction`.
 *
 * The polynomial of degree five with the values and both derivatives at both ends is no better: for two pairs
 * of convolutional networks it predicts barriers of .20 and .82, this function predicts .66 and 3.80, and the
 * measured barriers are .77 and 2.20.
 */
export function predictRise(a: WayDerivatives, b: WayDerivatives, t: number): number {
  return t * (1 - t) * (a.slope - b.slope + (t * a.curvature + (1 - t) * b.curvature) / 2);
}

/**
 * Computes Spearman's rank correlation: the correlation of ranks, where equal values share the mean of their
 * ranks.
 *
 * @returns a number in `[-1, 1]`; NaN if there are fewer than two pairs, all values of a side are equal, or
 *   one is NaN
 */
export function rankCorrelation(x: readonly number[], y: readonly number[]): number {
  if ([...x, ...y].some(Number.isNaN)) return Number.NaN;
  const [a, b] = [ranks(x), ranks(y)];
  const mean = (x.length - 1) / 2;
  let [covariance, varianceA, varianceB] = [0, 0, 0];
  for (const [i, rank] of a.entries()) {
    const [u, v] = [rank - mean, at(b, i, "rank") - mean];
    covariance += u * v;
    varianceA += u * u;
    varianceB += v * v;
  }
  return varianceA > 0 && varianceB > 0 ? covariance / Math.sqrt(varianceA * varianceB) : Number.NaN;
}

/** Computes the ranks of values from 0; equal values share the mean of their ranks. */
function ranks(values: readonly number[]): number[] {
  return values.map((value) => {
    const below = values.filter((other) => other < value).length;
    const equal = values.filter((other) => other === value).length;
    return below + (equal - 1) / 2;
  });
}
