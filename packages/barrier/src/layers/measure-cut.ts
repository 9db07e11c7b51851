import { at } from "@isthmus/core";
import type { Journal } from "@isthmus/tasks";
import type { BarrierPoint } from "../barrier-result.ts";
import { barrierValues } from "../barrier-values.ts";
import type { LayerCut } from "../layers-result.ts";
import type { PointReader } from "./create-point-reader.ts";
import { type Cut, type CutPlan, keyOf, listCuts, placesOf, sharesAt } from "./cut-points.ts";
import type { LayerTensors } from "./group-layers.ts";
import type { LayersProgress, ResolvedLayersOptions } from "./layers-options.ts";
import { directionKey, PLACES_IN_DIRECTION } from "./measure-robustness.ts";
import { expansionKeys } from "./predict-barriers.ts";

/** Groups and journal of a measurement, whose pieces are counted. */
interface CountedPieces {
  readonly tensors: readonly LayerTensors[];
  readonly journal: Journal;
}

/**
 * Counts the pieces of a measurement, which are networks to evaluate and passes of differentiation to make,
 * and returns functions that report progress. Pieces that the journal already has count as done.
 */
export function countPieces(
  { tensors, journal }: CountedPieces,
  plan: CutPlan,
  { points, predict, directions, onProgress }: ResolvedLayersOptions,
): { readonly count: () => void; readonly begin: (phase: LayersProgress["phase"]) => void } {
  const count = tensors.length;
  const draws = Array.from({ length: directions }, (_, draw) => draw);
  const keys = new Set([
    ...listCuts(plan).flatMap((cut) => placesOf(points).map((t) => keyOf(sharesAt(cut, t, count)))),
    ...tensors.flatMap(({ name }) =>
      draws.flatMap((draw) => PLACES_IN_DIRECTION.map((place) => directionKey(name, draw, place))),
    ),
    ...(predict > 0 ? expansionKeys(count) : []),
  ]);
  let completed = [...keys].filter((key) => journal.has(key)).length;
  let phase: LayersProgress["phase"] = "measuring";
  return {
    count: () => {
      completed += 1;
      onProgress?.({ phase, done: completed / keys.size, completed, total: keys.size });
    },
    begin: (next) => {
      phase = next;
    },
  };
}

/** Measures loss and error at every place of a cut, and its barriers. */
export async function measureCut(
  reader: PointReader,
  cut: Cut,
  { groups, points }: { readonly groups: readonly { readonly name: string }[]; readonly points: number },
): Promise<LayerCut> {
  const places = placesOf(points);
  const curve: BarrierPoint[] = [];
  for (const t of places) {
    const { sampleLoss: _, ...values } = await reader.at(sharesAt(cut, t, groups.length));
    curve.push({ t, ...values });
  }
  const ends = await Promise.all([0, 1].map((share) => reader.at(groups.map(() => share))));
  const middle = at(curve, (points - 1) / 2, "place");
  const above = (measure: "loss" | "error") =>
    middle[measure] - ends.reduce((sum, end) => sum + end[measure], 0) / ends.length;
  const values = (measure: "loss" | "error") =>
    barrierValues(
      places,
      curve.map((point) => point[measure]),
    );
  return {
    groups: cut.moving.map((group) => at(groups, group, "group").name),
    fixed: cut.fixed,
    points: curve,
    barrier: { loss: values("loss"), error: values("error") },
    wholeEndpoints: { loss: above("loss"), error: above("error") },
  };
}
