import { at } from "@isthmus/core";
import {
  type DiagonalSymmetry,
  type MixedLayout,
  type MixingSpace,
  type Occurrence,
  occurrencesOf,
  type Symmetry,
  type SymmetrySpec,
  type WeightLayout,
} from "@isthmus/symmetry";
import { positionIn } from "@isthmus/symmetry/layout";

/** Rows of a weight, one for each unit. */
export interface UnitRows {
  /** Name of the weight that the rows lie in. */
  readonly weight: string;
  /** Place of the rows in the weight: first element of each, and offsets inside a row. */
  readonly occurrence: Occurrence;
}

/** A plain symmetry whose units may be permuted again while spaces are learned. */
export interface MovableUnits {
  /** Symmetry whose units may move. */
  readonly symmetry: Symmetry;
  /** Rows of the units in every weight that they lie in. */
  readonly rows: readonly UnitRows[];
  /** Lists of sign variables, one of each unit, that move with the units. */
  readonly signs: readonly Int32Array[];
  /** Lists of scale variables, which move in the same way. */
  readonly scales: readonly Int32Array[];
}

/** Creates a function that checks whether a symmetry is plain, and no other unit moves with its units. */
export function movesAlone({ symmetries, followers }: SymmetrySpec): (symmetry: Symmetry) => boolean {
  const parents = new Set([
    ...symmetries.flatMap(({ cells }) => cells.flat()),
    ...followers.flatMap((family) => family.parents.flat()),
  ]);
  return ({ firstUnit, size, cells }) => {
    for (let unit = firstUnit; unit < firstUnit + size; unit++) if (parents.has(unit)) return false;
    return cells.length === 1 && cells.every((units) => units.length === 0);
  };
}

/** Returns the units of a plain symmetry as a space, so that their rows are found as a space's are. */
export function unitSpace({ name, firstUnit, size }: Symmetry): MixingSpace {
  return { symmetry: name, cell: 0, firstUnit, size, group: "invertible" };
}

/** Returns the layout of a weight as a layout of spaces, none of them inverse. */
export function spaceLayout({ view, fields }: WeightLayout): MixedLayout {
  return {
    view,
    fields: fields.map(({ axes, units }) => ({ axes, units, inverse: new Uint8Array(units.length) })),
  };
}

/** Lists the rows that hold the units of a plain symmetry, over all weights. */
export function rowsOfUnits({ weights }: SymmetrySpec, symmetry: Symmetry): UnitRows[] {
  const spaces = [unitSpace(symmetry)];
  return [...weights].flatMap(([weight, layout]) =>
    occurrencesOf(spaceLayout(layout), spaces).map((occurrence) => ({ weight, occurrence })),
  );
}

/** Counts the places over all weights where each variable lies. */
export function countPlaces({ variables, weights }: DiagonalSymmetry): Int32Array {
  const counts = new Int32Array(variables);
  for (const { fields } of weights.values()) {
    for (const variable of fields.flatMap((field) => [...field.variables])) {
      if (variable !== 0) counts[Math.abs(variable) - 1] = at(counts, Math.abs(variable) - 1, "variable") + 1;
    }
  }
  return counts;
}

/** Returns the variable of each unit in rows of a weight; undefined unless each unit has its own. */
export function variablesAt(
  { weights }: DiagonalSymmetry,
  { weight, occurrence: { bases } }: UnitRows,
): Int32Array | undefined {
  const layout = weights.get(weight);
  if (layout === undefined) return undefined;
  for (const { axes, variables } of layout.fields) {
    const places = bases.map(positionIn(layout.view, axes));
    const ofUnits = places.map((place) => Math.abs(at(variables, place, "place")) - 1);
    if (new Set(ofUnits).size === bases.length && ofUnits.every((variable) => variable >= 0)) return ofUnits;
  }
  return undefined;
}

/** Permutes the rows of a weight, and multiplies each by its factor if factors are given. */
export function moveRowsInPlace(
  values: Float32Array | Float64Array,
  { bases, offsets }: Occurrence,
  from: Int32Array,
  factors?: Float64Array,
): void {
  const before = values.slice();
  from.forEach((taken, unit) => {
    const [to, take] = [at(bases, unit, "row"), at(bases, taken, "row")];
    const factor = factors === undefined ? 1 : at(factors, unit, "unit");
    for (const offset of offsets) values[to + offset] = factor * (before[take + offset] as number);
  });
}
