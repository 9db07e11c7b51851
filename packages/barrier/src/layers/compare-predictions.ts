import { at } from "@isthmus/core";
import type { BarrierPrediction, LayersResult, PredictedPoint } from "../layers-result.ts";
import type { PointReader } from "./create-point-reader.ts";
import { sharesAt } from "./cut-points.ts";
import { ALL_GROUPS } from "./group-layers.ts";
import type { LossExpansion } from "./predict-barriers.ts";
import { alongGroups, predictRise } from "./predict-rise.ts";
import { rankCorrelation } from "./rank-correlation.ts";

/** The groups and the places for which barriers are predicted, and what they are predicted from. */
export interface PredictionTask {
  readonly groups: readonly { readonly name: string }[];
  readonly ends: readonly [LossExpansion, LossExpansion];
  /** Evenly spaced places, from 0 to 1. */
  readonly places: readonly number[];
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

/** A place on the path of some groups. */
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
