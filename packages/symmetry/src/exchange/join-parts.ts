import { at, entry } from "@isthmus/core";
import { findAxes } from "../find-axes.ts";
import type { Symmetry, SymmetrySpec, WeightField, WeightLayout } from "../spec.ts";
import type { Exchange } from "./exchange-parts.ts";

/** A symmetry without the axes that it moves, which are found once all weights are laid out. */
type Cells = Omit<Symmetry, "axes">;

/** The symmetries of the units of parts, by part, in corresponding order. */
interface JoinedExchange {
  readonly exchange: Exchange;
  /** Symmetries `[symmetries][parts]` that lie in the weights of one part alone. */
  readonly within: readonly (readonly Symmetry[])[];
}

/**
 * Joins parts whose weights are separate tensors into one specification, in which the parts are units of a
 * symmetry of their own and the units of a part are nested in it: then the parts of two networks are matched
 * together with the units inside.
 *
 * The tensors of corresponding weights of the parts are one stacked weight `[parts, ...]`, and the weights
 * that select parts, such as a router's, have the parts along an axis. Parts whose units are laid out in
 * different ways are not joined.
 *
 * @returns the joined specification; undefined if no parts can be joined
 */
export function joinParts(plain: SymmetrySpec, exchanges: readonly Exchange[]): SymmetrySpec | undefined {
  const joinable = exchanges.flatMap((exchange): JoinedExchange[] => {
    const within = ownSymmetries(plain, exchange);
    return within !== undefined && isAlike(plain, exchange, within) ? [{ exchange, within }] : [];
  });
  if (joinable.length === 0) return undefined;
  const { symmetries, ofParts, unitOf, units } = numberUnits(plain, joinable);
  const followers = plain.followers.map(({ firstUnit, parents }) => ({
    firstUnit: mapped(unitOf, firstUnit),
    parents: parents.map((list) => list.map((unit) => mapped(unitOf, unit))),
  }));
  const { weights, stacks } = layOutWeights(plain, joinable, { ofParts, unitOf });
  const axes = findAxes(symmetries, followers, weights);
  const complete = symmetries.map((cells, i): Symmetry => ({ ...cells, axes: at(axes, i, "axes") }));
  return {
    symmetries: complete,
    followers,
    units,
    weights,
    frozen: plain.frozen,
    unknown: plain.unknown,
    joined: {
      plain,
      exchanges: joinable.map(({ exchange }) => exchange),
      symmetries: ofParts.map((cells) => at(complete, symmetries.indexOf(cells), "symmetry")),
      unitOf,
      stacks,
    },
  };
}

const mapped = (unitOf: Int32Array, unit: number) => at(unitOf, unit, "unit");

/** Finds the symmetries within each part; undefined if they do not correspond. */
function ownSymmetries(
  plain: SymmetrySpec,
  { parts }: Exchange,
): readonly (readonly Symmetry[])[] | undefined {
  const places = parts.map((weights) => new Map(weights.map((name, k) => [name, k])));
  const ofPart = places.map((place) => {
    const within = plain.symmetries.filter(({ axes }) => axes.every(({ tensor }) => place.has(tensor)));
    const keyOf = ({ size, cells, axes }: Symmetry) =>
      [size, cells.length, ...axes.map(({ tensor, axis }) => `${place.get(tensor)}/${axis}`)].join(" ");
    return new Map(within.map((symmetry) => [keyOf(symmetry), symmetry]));
  });
  const first = at(ofPart, 0, "part");
  if (ofPart.some(({ size }) => size !== first.size)) return undefined;
  const within = [...first.keys()].map((key) => ofPart.flatMap((keyed) => keyed.get(key) ?? []));
  return within.every(({ length }) => length === parts.length) ? within : undefined;
}

/**
 * Checks that all parts lay out their units alike, in at most one field of each weight that they fill, and
 * that the weights that select parts hold no units on that axis yet.
 */
function isAlike(
  { weights, units }: SymmetrySpec,
  { parts, selectors }: Exchange,
  within: JoinedExchange["within"],
): boolean {
  const codes = codesOf(units, within);
  const first = at(parts, 0, "part");
  const fieldsOf = (name: string) => entry(weights, name, "weight").fields;
  const isSame = parts.every((names) =>
    names.every((name, k) => haveSameFields(fieldsOf(at(first, k, "weight")), fieldsOf(name), codes)),
  );
  const isFilled = first.every((name) => {
    const fields = fieldsOf(name).filter((field) => isOwn(field, within));
    return fields.length < 2 && fields.every((field) => field.units.every((unit) => unit >= 0));
  });
  const isFree = selectors.every(({ weight, axis }) => {
    const { shape, view, fields } = entry(weights, weight, "weight");
    return shape.length === view.length && fields.every(({ axes }) => !axes.includes(axis));
  });
  return isSame && isFilled && isFree;
}

/** Numbers units so that corresponding units within parts have the same number, and all others their own. */
function codesOf(units: number, within: JoinedExchange["within"]): Int32Array {
  const codes = new Int32Array(units).map((_, unit) => unit);
  for (const ofParts of within) {
    const { firstUnit, size, cells } = at(ofParts, 0, "part");
    for (const other of ofParts) {
      for (let i = 0; i < size * cells.length; i++) codes[other.firstUnit + i] = firstUnit + i;
    }
  }
  return codes;
}

function haveSameFields(
  one: readonly WeightField[],
  other: readonly WeightField[],
  codes: Int32Array,
): boolean {
  const codeOf = (unit = -1) => (unit < 0 ? unit : codes[unit]);
  return (
    one.length === other.length &&
    one.every(({ axes, units, ranks }, i) => {
      const field = at(other, i, "field");
      return (
        axes.join() === field.axes.join() &&
        units.length === field.units.length &&
        units.every((unit, place) => codeOf(unit) === codeOf(field.units[place])) &&
        ranks.every((rank, place) => rank === field.ranks[place])
      );
    })
  );
}

const holds = ({ firstUnit, size, cells }: Symmetry, unit: number) =>
  unit >= firstUnit && unit < firstUnit + size * cells.length;

/** Checks whether units within the first part lie in a field. */
const isOwn = ({ units }: WeightField, within: JoinedExchange["within"]) =>
  within.some((ofParts) => units.some((unit) => holds(at(ofParts, 0, "part"), unit)));

/** Numbers the units anew: the parts themselves first, then the units that are nested in them. */
function numberUnits(plain: SymmetrySpec, joinable: readonly JoinedExchange[]) {
  const unitOf = new Int32Array(plain.units).fill(-1);
  const symmetries: Cells[] = [];
  const names = new Set<string>();
  let units = 0;
  const add = (name: string, size: number, cells: Symmetry["cells"]): Cells => {
    const cellsOf = { name: unused(name, names), size, cells, firstUnit: units };
    symmetries.push(cellsOf);
    units += size * cells.length;
    return cellsOf;
  };
  const renumber = (from: Symmetry, firstUnit: number) => {
    for (let i = 0; i < from.size * from.cells.length; i++) unitOf[from.firstUnit + i] = firstUnit + i;
  };
  const ofParts = joinable.map(({ exchange }) => add(exchange.name, exchange.parts.length, [[]]));
  for (const symmetry of plain.symmetries) {
    const index = joinable.findIndex(({ within }) => within.some((list) => list.includes(symmetry)));
    const list = joinable[index]?.within.find((ofPart) => ofPart.includes(symmetry)) ?? [symmetry];
    if (list[0] !== symmetry) continue;
    const parentsOf = (parents: readonly number[], part: number) =>
      index >= 0 && parents.length === 0
        ? [at(ofParts, index, "exchange").firstUnit + part]
        : parents.map((unit) => mapped(unitOf, unit));
    const cells = list.flatMap((within, part) => within.cells.map((parents) => parentsOf(parents, part)));
    const { firstUnit, size } = add(joinedName(list.map(({ name }) => name)), symmetry.size, cells);
    for (const [part, { cells: inPart }] of list.entries())
      renumber(at(list, part, "part"), firstUnit + part * size * inPart.length);
  }
  for (const { firstUnit, parents } of plain.followers) {
    for (let i = 0; i < parents.length; i++) unitOf[firstUnit + i] = units++;
  }
  return { symmetries, ofParts, unitOf, units };
}

function unused(name: string, names: Set<string>): string {
  let free = name;
  for (let i = 2; names.has(free); i++) free = `${name}#${i}`;
  names.add(free);
  return free;
}

/** Joins names that differ between parts: `experts.*.w1` for `experts.0.w1` and `experts.1.w1`. */
function joinedName(names: readonly string[]): string {
  const first = at(names, 0, "name");
  if (names.length === 1) return first;
  let [before, after] = [0, 0];
  while (before < first.length && names.every((name) => name[before] === first[before])) before++;
  const isSameEnd = () => names.every((name) => name.at(-1 - after) === first.at(-1 - after));
  while (before + after < first.length && isSameEnd()) after++;
  return `${first.slice(0, before)}*${first.slice(first.length - after)}`;
}

/** Lays out stacked weights of parts, and the parts along the axes that select them. */
function layOutWeights(
  plain: SymmetrySpec,
  joinable: readonly JoinedExchange[],
  { ofParts, unitOf }: { readonly ofParts: readonly Cells[]; readonly unitOf: Int32Array },
) {
  const renumbered = (field: WeightField): WeightField => ({
    ...field,
    units: field.units.map((unit) => (unit < 0 ? unit : mapped(unitOf, unit))),
  });
  const weights = new Map(
    [...plain.weights].map(([name, layout]): [string, WeightLayout] => [
      name,
      { ...layout, fields: layout.fields.map(renumbered) },
    ]),
  );
  const stacks = new Map<string, readonly string[]>();
  joinable.forEach(({ exchange, within }, index) => {
    const { firstUnit } = at(ofParts, index, "exchange");
    for (const { weight, shape, axis, indices } of exchange.selectors) {
      const layout = entry(weights, weight, "weight");
      const units = new Int32Array(at(shape, axis, "axis")).fill(-1);
      indices.forEach((place, part) => {
        units[place] = firstUnit + part;
      });
      const field = { axes: [axis], units, ranks: new Int32Array(units.length) };
      weights.set(weight, { ...layout, fields: [...layout.fields, field] });
    }
    for (const k of at(exchange.parts, 0, "part").keys()) {
      const names = exchange.parts.map((part) => at(part, k, "weight"));
      const layouts = names.map((name) => entry(plain.weights, name, "weight"));
      for (const name of names) weights.delete(name);
      const name = joinedName(names);
      stacks.set(name, names);
      weights.set(name, stackedLayout(layouts, { within, firstUnit, renumbered }));
    }
  });
  return { weights, stacks };
}

/** Lays out a stacked weight: the parts lie on its first axis, alone or together with their units. */
function stackedLayout(
  layouts: readonly WeightLayout[],
  {
    within,
    firstUnit,
    renumbered,
  }: {
    readonly within: JoinedExchange["within"];
    readonly firstUnit: number;
    readonly renumbered: (field: WeightField) => WeightField;
  },
): WeightLayout {
  const { shape, view, role, fields } = at(layouts, 0, "layout");
  const parts = Int32Array.from(layouts, (_, part) => firstUnit + part);
  const alone = { axes: [0], units: parts, ranks: new Int32Array(parts.length) };
  const stacked = fields.map((field, i): WeightField => {
    const { axes, units, ranks } = renumbered(field);
    const moved = axes.map((axis) => axis + 1);
    if (!isOwn(field, within)) return { axes: moved, units, ranks };
    const all = layouts.map((layout) => renumbered(at(layout.fields, i, "field")));
    return {
      axes: [0, ...moved],
      units: concatenate(all.map((one) => one.units)),
      ranks: concatenate(all.map((one) => one.ranks)),
    };
  });
  return {
    shape: [layouts.length, ...shape],
    view: [layouts.length, ...view],
    role,
    fields: fields.some((field) => isOwn(field, within)) ? stacked : [alone, ...stacked],
  };
}

function concatenate(arrays: readonly Int32Array[]): Int32Array {
  const all = new Int32Array(arrays.reduce((sum, { length }) => sum + length, 0));
  let place = 0;
  for (const array of arrays) {
    all.set(array, place);
    place += array.length;
  }
  return all;
}
