import { MismatchError } from "@isthmus/core";
import type { WeightField, WeightLayout } from "./spec.ts";

/** Axes of a weight that some fields tie together, so that they are permuted as one. */
export interface LayoutComponent {
  /** Axes of {@link WeightLayout.view}, ascending. */
  readonly axes: readonly number[];
  /** Extents of these axes; positions of the component are row-major over them. */
  readonly extents: readonly number[];
  /** Number of positions. */
  readonly size: number;
  readonly fields: readonly ComponentField[];
}

/** A field spread over the positions of a component, with the numbers that permuting it needs. */
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

/** Components that were worked out: matching asks for those of every weight again for each symmetry. */
const known = new WeakMap<WeightLayout, readonly LayoutComponent[]>();

/** Splits the axes of a weight that fields move into components; axes without fields are in none. */
export function layoutComponents(layout: WeightLayout): readonly LayoutComponent[] {
  const components = known.get(layout) ?? splitLayout(layout);
  known.set(layout, components);
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
  const extents = axes.map((axis) => view[axis] ?? 1);
  const size = extents.reduce((product, extent) => product * extent, 1);
  return {
    axes,
    extents,
    size,
    fields: fields.map((field) => ({
      ...field,
      ...rangesOf(field),
      indices: fieldIndices(axes, extents, field.axes),
    })),
  };
}

/** For each position over `axes`, its row-major index over the subset `own`. */
function fieldIndices(
  axes: readonly number[],
  extents: readonly number[],
  own: readonly number[],
): Int32Array {
  let indices = Int32Array.of(0);
  axes.forEach((axis, place) => {
    const extent = extents[place] ?? 1;
    const step = own.includes(axis) ? 1 : 0;
    const grown = new Int32Array(indices.length * extent);
    for (let i = 0; i < grown.length; i++) {
      const outer = indices[Math.floor(i / extent)] ?? 0;
      grown[i] = step === 1 ? outer * extent + (i % extent) : outer;
    }
    indices = grown;
  });
  return indices;
}

/**
 * Where each position of a component is taken from when units are permuted: position `p` of the result holds
 * what was at `map[p]`.
 *
 * @param source - `[units]`; place `u` is taken by unit `source[u]`, followers included
 * @returns `[size]`, a permutation
 * @throws MismatchError if the permutation takes a position to one that does not exist, as one that is not an
 *   element of the symmetry group does
 */
export function mapComponent(component: LayoutComponent, source: Int32Array): Int32Array {
  let before = new Int32Array(component.size);
  let after = new Int32Array(component.size);
  let count = 1;
  for (const field of component.fields) {
    const keys = keyCount(field);
    const intern = new Interner(keys * count);
    const unmoved = fieldKeys(field, undefined);
    const moved = fieldKeys(field, source);
    before = before.map((id, position) => intern.idOf(id * keys + (unmoved[position] ?? 0)));
    after = after.map((id, position) => intern.idOf(id * keys + (moved[position] ?? 0)));
    count = intern.count;
  }
  return matchKeys(before, after, count);
}

/** Numbers distinct keys from 0 up. */
class Interner {
  readonly #dense: Int32Array | undefined;
  readonly #sparse = new Map<number, number>();
  count = 0;

  /** Above this many possible keys a table is slower than hashing. */
  static readonly MAX_DENSE = 1 << 20;

  constructor(keys: number) {
    if (keys <= Interner.MAX_DENSE) this.#dense = new Int32Array(keys).fill(-1);
  }

  idOf(key: number): number {
    const known = this.#dense === undefined ? this.#sparse.get(key) : this.#dense[key];
    if (known !== undefined && known >= 0) return known;
    if (this.#dense === undefined) this.#sparse.set(key, this.count);
    else this.#dense[key] = this.count;
    return this.count++;
  }
}

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

/** Keys of a field: (unit, rank) pairs first, then fixed coordinates, then one for units it does not hold. */
function keyCount({ lowest, highest, rankCount, units }: ComponentField): number {
  return (highest - lowest + 1) * rankCount + units.length + 1;
}

/** A key for each position of the component, `[size]`, after units were permuted by `source` if given. */
function fieldKeys(field: ComponentField, source: Int32Array | undefined): Int32Array {
  const { lowest, highest, rankCount, units, ranks } = field;
  const pairs = (highest - lowest + 1) * rankCount;
  return field.indices.map((index) => {
    const unit = units[index] ?? -1;
    if (unit < 0) return pairs + index;
    const moved = source === undefined ? unit : (source[unit] ?? -1);
    if (moved < lowest || moved > highest) return pairs + units.length;
    return (moved - lowest) * rankCount + (ranks[index] ?? 0);
  });
}

function matchKeys(before: Int32Array, after: Int32Array, count: number): Int32Array {
  const positions = new Int32Array(count).fill(-1);
  before.forEach((key, position) => {
    positions[key] = position;
  });
  return after.map((key) => {
    const position = positions[key] ?? -1;
    if (position < 0) {
      throw new MismatchError(
        "Cannot permute a weight as every cell of units must map onto a cell of its symmetry: the alignment breaks one",
        { parameters: [] },
      );
    }
    return position;
  });
}
