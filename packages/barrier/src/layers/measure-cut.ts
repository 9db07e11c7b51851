import { at } from "@isthmus/core";
import type { BarrierPoint } from "../barrier-result.ts";
import { barrierValues } from "../barrier-values.ts";
import type { LayerCut } from "../layers-result.ts";
import type { PointReader } from "./create-point-reader.ts";
import { type Cut, placesOf, sharesAt } from "./cut-points.ts";

/** Measures loss and error at every place of a cut, and its barriers. */
export async function measureCut(
  reader: PointReader,
  cut: Cut,
  { groups, points }: { readonly groups: readonly { readonly name: string }[]; readonly points: number },
): Promise<LayerCut> {
  const places = placesOf(points);
  const curve: BarrierPoint[] = [];
  for (const t of places) {
    const { loss, error } = await reader.at(sharesAt(cut, t, groups.length));
    curve.push({ t, loss, error });
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
