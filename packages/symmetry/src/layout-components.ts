import { at, MismatchError, sizeOf, strideTable } from "@isthmus/core";
import { createInterner, fieldKeys, matchKeys, refineIdsInPlace } from "./kernels/component-keys.ts";
import { countPositions, spread } from "./labels/field.ts";
import type { WeightField, WeightLayout } from "./spec.ts";

/** Axes of a weight that some fields tie together, so that they are permuted as one. */
export interface LayoutComponent {
  /** Axes of {@link WeightLayout.view}, ascending. */
  readonly axes: readonly number[];
  /** Extents of these axes; positions of the component are row-major over them. */
  readonly extents: readonly number[];
  /** Number of positions. */
  readonly size: number;
  /** Fields that lie on these axes, each spread over all positions of the component. */
  readonly fields: readonly ComponentField[];
}

/** A field spread over the positions of a component, with the ranges of its units and ranks. */
export interface ComponentField extends WeightField {
  /** Index into the field's `units` and `ranks` of each position of the component, `[size]`. */
  readonly indices: Int32Array;
  /** Smallest unit of the field. */
  readonly lowest: number;
  /** Largest unit of the field. */
  readonly highest: number;
  /** One more than the largest rank. */
  readonly rankCount: number;
}

/**
 * Components of each layout computed so far: matching needs the components of every weight for each symmetry.
 */
const computed = new WeakMap<WeightLayout, readonly LayoutComponent[]>();

/** Splits the axes of a weight on which fields lie into components; axes without fields are in none. */
export function layoutComponents(layout: WeightLayout): readonly LayoutComponent[] {
  const components = computed.get(layout) ?? splitLayout(layout);
  computed.set(layout, components);
  return components;
}

function splitLayout(layout: WeightLayout): LayoutComponent[] {
  const groups: { axes: Set<number>; fields: WeightField[] }[] = [];
  for (const field of layout.fields) {
    const touching = groups.filter((group) => field.axes.some((axis) => group.axes.has(axis)));
    const merged = {
      axes: new Set([...field.axes, ...touching.flatMap((group) => [...group.axes])]),
      fields: [...touching.flatMap((group) => group.fields), field],
    };
    for (const group of touching) groups.splice(groups.indexOf(group), 1);
    groups.push(merged);
  }
  return groups.map(({ axes, fields }) => createComponent(layout.view, [...axes].sort(ascending), fields));
}

const ascending = (a: number, b: number): number => a - b;

function createComponent(
  view: readonly number[],
  axes: readonly number[],
  fields: readonly WeightField[],
): LayoutComponent {
  const extents = axes.map((axis) => at(view, axis, "axis"));
  const size = sizeOf(extents);
  return {
    axes,
    extents,
    size,
    fields: fields.map((field) => ({
      ...field,
      ...rangesOf(field),
      indices: fieldIndices(view, axes, field.axes),
    })),
  };
}

/** Returns for each position over `axes` its row-major index over `subset`, some of these axes. */
function fieldIndices(
  view: readonly number[],
  axes: readonly number[],
  subset: readonly number[],
): Int32Array {
  return spread({ axes: subset, data: strideTable(countPositions(view, subset), 1) }, view, axes);
}

/**
 * Returns the position that each position of a component is taken from when units are permuted: position `p`
 * of the result holds the element of position `map[p]`.
 *
 * @param source - `[units]`; place `u` is taken by unit `source[u]`, followers included
 * @returns `[size]`, a permutation
 * @throws MismatchError if the permutation takes a position to one that does not exist, which no element of
 *   the symmetry group does
 */
export function mapComponent(component: LayoutComponent, source: Int32Array): Int32Array {
  const before = new Int32Array(component.size);
  const after = new Int32Array(component.size);
  let count = 1;
  for (const field of component.fields) {
    const keys = keyCount(field);
    const interner = createInterner(keys * count);
    refineIdsInPlace(before, fieldKeys(field, undefined), keys, interner);
    refineIdsInPlace(after, fieldKeys(field, source), keys, interner);
    count = interner.count;
  }
  const map = matchKeys(before, after, count);
  if (map.includes(-1)) {
    throw new MismatchError(
      "Cannot permute a weight as every cell of units must map onto a cell of its symmetry: the alignment breaks one",
      { parameters: [] },
    );
  }
  return map;
}

/** Finds the smallest and largest unit and the number of ranks of a field. */
function rangesOf({ units, ranks }: WeightField): Pick<ComponentField, "lowest" | "highest" | "rankCount"> {
  let lowest = Number.POSITIVE_INFINITY;
  let highest = 0;
  for (const unit of units) {
    if (unit < 0) continue;
    lowest = Math.min(lowest, unit);
    highest = Math.max(highest, unit);
  }
  let rank = 0;
  for (const candidate of ranks) rank = Math.max(rank, candidate);
  return { lowest: Math.min(lowest, highest), highest, rankCount: rank + 1 };
}

/** Counts the keys that `fieldKeys` may give to positions of a field. */
function keyCount({ lowest, highest, rankCount, units }: ComponentField): number {
  return (highest - lowest + 1) * rankCount + units.length + 1;
}
