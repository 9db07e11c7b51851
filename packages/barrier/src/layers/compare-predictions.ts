import type { BarrierPrediction, LayersResult, PredictedPoint } from "../layers-result.ts";
import type { PointReader } from "./create-point-reader.ts";
import { sharesAt } from "./cut-points.ts";
import { ALL_GROUPS } from "./group-layers.ts";
import type { LossExpansion } from "./predict-barriers.ts";
import { alongGroups, predictRise } from "./predict-rise.ts";
import { rankCorrelation } from "./rank-correlation.ts";

/** What is predicted, and where. */
export interface PredictionTask {
  readonly groups: readonly { readonly name: string }[];
  readonly ends: readonly [LossExpansion, LossExpansion];
  /** Evenly spaced places, from 0 to 1. */
  readonly places: readonly number[];
  readonly examples: number;
}

/** Sets predicted barriers beside those measured on the same examples, of every group and of all. */
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
  const middles = barriers.slice(0, -1).map(({ points }) => points[(points.length - 1) / 2]);
  return {
    barriers,
    rankCorrelation: rankCorrelation(
      middles.map((point) => point?.predicted ?? Number.NaN),
      middles.map((point) => point?.measured ?? Number.NaN),
    ),
    interactions: ends.map(({ network, curvatures }) => ({ network, curvatures })),
    examples,
  };
}

interface Rise {
  readonly moving: readonly number[];
  readonly places: readonly number[];
  /** Of the place, from A. */
  readonly index: number;
  /** Groups in all. */
  readonly count: number;
}

/** `(1 - t) L(A + t d) + t L(B - (1 - t) d) - [(1 - t) L(A) + t L(B)]`, `d` the way from A to B in the groups that move. */
async function measureRise(reader: PointReader, { moving, places, index, count }: Rise): Promise<number> {
  const lossAt = async (fixed: "a" | "b", step: number) =>
    (await reader.at(sharesAt({ moving, fixed }, places[step] ?? 0, count))).sampleLoss;
  const last = places.length - 1;
  if (index === 0 || index === last) return 0;
  const t = places[index] ?? 0;
  // Where all groups move the two networks are one; the cut from B is not measured.
  const fromA = await lossAt("a", index);
  const fromB = moving.length === count ? fromA : await lossAt("b", last - index);
  const chord = (1 - t) * (await lossAt("a", 0)) + t * (await lossAt("b", 0));
  return (1 - t) * fromA + t * fromB - chord;
}

/** The largest of some values, NaN if one is. */
function highest(values: readonly number[]): number {
  return values.reduce((max, value) => Math.max(max, value), Number.NEGATIVE_INFINITY);
}
