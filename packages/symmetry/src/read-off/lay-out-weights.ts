import type { LabelledAxes, LabelledWeight } from "../labels/label-weight.ts";
import type { WeightField, WeightLayout } from "../spec.ts";
import type { Classes } from "./classify.ts";
import type { NumberedUnits } from "./number-units.ts";

/** Lays out the units that lie in a weight. */
export function layOutWeight(weight: LabelledWeight, classes: Classes, units: NumberedUnits): WeightLayout {
  const fields = weight.fields.flatMap((field) => {
    const laid = layOutField(field, classes, units);
    return laid.units.some((unit) => unit >= 0) ? [laid] : [];
  });
  return { shape: weight.info.shape, view: weight.view, role: weight.info.role, fields };
}

function layOutField(
  { axes, labels }: LabelledAxes,
  classes: Classes,
  { unitOf }: NumberedUnits,
): WeightField {
  const units = labels.map((label) => unitOf[classes.classOf[label] as number] as number);
  return { axes, units, ranks: rankMembers(units, labels, classes) };
}

/** Assigns ranks to positions with the same unit by the roles of their labels. */
function rankMembers(units: Int32Array, labels: Int32Array, { placeOf }: Classes): Int32Array {
  const ranks = new Int32Array(units.length);
  const positions = new Map<number, number[]>();
  units.forEach((unit, position) => {
    if (unit < 0) return;
    const same = positions.get(unit);
    if (same === undefined) positions.set(unit, [position]);
    else same.push(position);
  });
  if (positions.size === units.length) return ranks;
  const place = (position: number): number => placeOf[labels[position] as number] as number;
  for (const same of positions.values()) {
    same.sort((a, b) => place(a) - place(b));
    same.forEach((position, rank) => {
      ranks[position] = rank;
    });
  }
  return ranks;
}
