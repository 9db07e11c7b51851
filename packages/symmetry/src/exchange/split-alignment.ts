import { at } from "@isthmus/core";
import { type Alignment, compose, invert } from "../alignment.ts";
import { completeUnits } from "../complete-units.ts";
import type { Symmetries } from "../derive-spec.ts";
import type { JoinedParts, SymmetrySpec } from "../spec.ts";

/** An alignment of joined parts as two steps, of which the second leaves each part at its place. */
export interface SplitAlignment {
  /** Part that takes each place, by exchange. */
  readonly orders: readonly Int32Array[];
  /** Alignment of the plain specification that follows. */
  readonly alignment: Alignment;
}

/** Splits an alignment into the order of the parts and the permutation of the units within them. */
export function splitAlignment(
  spec: SymmetrySpec,
  { symmetries, unitOf }: JoinedParts,
  whole: Alignment,
): SplitAlignment {
  const orders = symmetries.map(({ firstUnit, size }) =>
    whole.source.slice(firstUnit, firstUnit + size).map((unit) => unit - firstUnit),
  );
  const within = compose(whole, invert(orderAlignment(spec, symmetries, orders)));
  const plainOf = new Int32Array(spec.units).fill(-1);
  unitOf.forEach((unit, plain) => {
    plainOf[unit] = plain;
  });
  return {
    orders,
    alignment: { source: unitOf.map((unit) => at(plainOf, at(within.source, unit, "unit"), "unit")) },
  };
}

/**
 * Returns an alignment of the plain specification as one of the whole specification, in which parts change
 * places first: the inverse of {@link splitAlignment}.
 *
 * @param orders - part that takes each place, by exchange @defaultValue each part stays
 */
export function wholeAlignment(
  { whole: spec }: Pick<Symmetries, "whole">,
  alignment: Alignment,
  orders: readonly Int32Array[] = [],
): Alignment {
  if (spec?.joined === undefined) return alignment;
  const { symmetries, unitOf } = spec.joined;
  const source = Int32Array.from({ length: spec.units }, (_, unit) => unit);
  unitOf.forEach((unit, plain) => {
    source[unit] = at(unitOf, at(alignment.source, plain, "unit"), "unit");
  });
  return compose({ source }, orderAlignment(spec, symmetries, orders));
}

/** Returns the alignment that moves whole parts, with their units in the same order. */
function orderAlignment(
  spec: SymmetrySpec,
  symmetries: JoinedParts["symmetries"],
  orders: readonly Int32Array[],
): Alignment {
  return completeUnits(spec, (symmetry) => {
    const order = orders[symmetries.indexOf(symmetry)];
    return order ?? Int32Array.from({ length: symmetry.size }, (_, unit) => unit);
  });
}
