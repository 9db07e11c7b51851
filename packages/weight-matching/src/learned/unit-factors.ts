import { at } from "@isthmus/core";
import type {
  DiagonalSymmetry,
  FactorField,
  LinearSymmetries,
  MixedLayout,
  MixingSymmetries,
} from "@isthmus/symmetry";
import { multiplyInPlace } from "@isthmus/symmetry/layout";
import { touchedBy } from "../normalize/balance-scales.ts";

/** The signs and scales of units that no mixture includes, such as the linear branch of a gated MLP. */
export interface UnitSymmetries {
  /** Units that may be negated, each by a variable of its own or shared. */
  readonly signs: DiagonalSymmetry;
  /** Units that may be multiplied by a positive factor. */
  readonly scales: DiagonalSymmetry;
}

/** A factor for each variable of {@link UnitSymmetries}: 1 or -1 for signs, positive for scales. */
export interface UnitFactors {
  /** Sign of each sign variable, `[sign variables]`. */
  readonly signs: Float64Array;
  /** Factor of each scale variable, `[scale variables]`. */
  readonly scales: Float64Array;
}

/**
 * Selects the signs and scales that are free beside mixtures: not of units that some matrix mixes, and not of
 * gains, which are moved into the weights that read the norms.
 */
export function unitSymmetries(
  { signs, scales }: LinearSymmetries,
  mixing: MixingSymmetries,
): UnitSymmetries {
  return { signs: besideMixtures(signs, mixing), scales: besideMixtures(scales, mixing) };
}

function besideMixtures(symmetry: DiagonalSymmetry, mixing: MixingSymmetries): DiagonalSymmetry {
  const gains = new Set(mixing.gains.map(({ gain }) => gain));
  const taken = new Set<number>();
  for (const [name, { fields }] of symmetry.weights) {
    const mixed = mixing.weights.get(name);
    for (const field of fields) {
      field.variables.forEach((variable, place) => {
        if (variable !== 0 && (gains.has(name) || isMixed(mixed, field, place)))
          taken.add(Math.abs(variable) - 1);
      });
    }
  }
  const free = Int32Array.from({ length: symmetry.variables }, (_, variable) => variable).filter(
    (variable) => !taken.has(variable),
  );
  return { ...symmetry, weights: new Map(touchedBy(symmetry, free)), values: new Map() };
}

/**
 * Checks whether a place of a field may be mixed; if fields lie on other axes in part, it counts as mixed.
 */
function isMixed(mixed: MixedLayout | undefined, { axes }: FactorField, place: number): boolean {
  return (mixed?.fields ?? []).some((field) => {
    if (!field.axes.some((axis) => axes.includes(axis))) return false;
    const isSame = field.axes.length === axes.length && field.axes.every((axis) => axes.includes(axis));
    return !isSame || at(field.units, place, "place") >= 0;
  });
}

/** Creates the factors that change nothing. */
export function identityFactors({ signs, scales }: UnitSymmetries): UnitFactors {
  return {
    signs: new Float64Array(signs.variables).fill(1),
    scales: new Float64Array(scales.variables).fill(1),
  };
}

/** Counts the free signs and scales. */
export function countFactors({ signs, scales }: UnitSymmetries): { signs: number; scales: number } {
  const count = ({ weights }: DiagonalSymmetry) => {
    const fields = [...weights.values()].flatMap((layout) => layout.fields);
    const present = new Set(fields.flatMap(({ variables }) => Array.from(variables, Math.abs)));
    present.delete(0);
    return present.size;
  };
  return { signs: count(signs), scales: count(scales) };
}

/** Multiplies the units of a network: changed weights are copies, the other weights are shared. */
export function multiplied(
  { signs, scales }: UnitSymmetries,
  network: ReadonlyMap<string, Float64Array>,
  factors: UnitFactors,
): Map<string, Float64Array> {
  const result = new Map(network);
  for (const [symmetry, numbers] of [
    [signs, factors.signs],
    [scales, factors.scales],
  ] as const) {
    for (const [name, layout] of symmetry.weights) {
      const before = result.get(name);
      if (before === undefined) continue;
      const values = before === network.get(name) ? before.slice() : before;
      multiplyInPlace(values, 0, layout, numbers);
      result.set(name, values);
    }
  }
  return result;
}
