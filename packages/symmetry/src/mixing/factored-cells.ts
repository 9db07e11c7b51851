import type { Symmetries } from "../derive-spec.ts";
import type { Labelled } from "../labels/field.ts";
import { FactorAlgebra } from "../linear/factor-algebra.ts";
import { cellsOfLabels, isMovable, unitOf } from "../linear/label-units.ts";
import { type Factor, factorOf, isInverse, ONE, variableOf } from "../linear/signed-sets.ts";
import { type FactorWalk, walkFactors } from "../linear/walk-factors.ts";
import type { MixedField, MixedLayout, MixingSpace } from "./mixing-symmetries.ts";

/** Cells of units after a walk: whether they may be mixed, and on which side of a product their units lie. */
export interface FactoredCells {
  /** Checks whether the units of a cell may be mixed, all of them and by themselves. */
  isFree(firstUnit: number, size: number): boolean;
  /**
   * Returns the node that first demanded that some unit of a cell does not change; `""` is an output of the
   * graph.
   */
  fixedBy(firstUnit: number, size: number): string | undefined;
  /** Returns the unit that a factor stands for, -1 for none. */
  unitOf(factor: Factor): number;
  /** Returns the number of the cell of a factor, counted over all symmetries; -1 for none. */
  cellOf(factor: Factor | undefined): number;
  /**
   * Returns the mixed units of some spaces in each weight, by its name; weights without any have no entry.
   */
  layOutWeights(spaces: readonly MixingSpace[]): Map<string, MixedLayout>;
  /**
   * Returns the mixed units of some spaces in each computed value, by its name; values without any have no
   * entry.
   */
  layOutValues(spaces: readonly MixingSpace[]): Map<string, MixedLayout>;
}

/**
 * Follows mixtures through a graph.
 *
 * @param kind - `mixture`: a factor stands for the matrix in front of a product, and for the inverse behind
 *   it; `rotation`: it stands for the same on both sides
 */
export function factorCells(
  kind: "mixture" | "rotation",
  walk: FactorWalk,
  permutations: Symmetries,
): FactoredCells {
  const algebra = new FactorAlgebra(kind, cellsOfLabels(permutations));
  const computed = walkFactors(walk, algebra);
  return new Cells(walk, permutations, algebra, computed);
}

/** Mixed units at the places of a field, and whether it has any. */
interface Codes extends Pick<MixedField, "units" | "inverse"> {
  readonly isMixed: boolean;
}

class Cells implements FactoredCells {
  readonly #walk: FactorWalk;
  readonly #permutations: Symmetries;
  readonly #algebra: FactorAlgebra;
  readonly #computed: ReadonlyMap<string, Labelled>;
  readonly #isMovable: (label: number) => boolean;
  /** Factor of each unit in its first occurrence; {@link ONE} if it may not be mixed, -1 if it is missing. */
  readonly #factorOfUnit: Int32Array;
  /** First label of each unit that a node fixed; -1 if no node did. */
  readonly #fixedLabelOfUnit: Int32Array;
  /** Unit whose factor is each variable, the last of several; -1 for none. */
  readonly #unitOfVariable: Int32Array;
  /** Number of units whose factor is each variable. */
  readonly #unitsOfVariable: Int32Array;

  constructor(
    walk: FactorWalk,
    permutations: Symmetries,
    algebra: FactorAlgebra,
    computed: ReadonlyMap<string, Labelled>,
  ) {
    this.#walk = walk;
    this.#permutations = permutations;
    this.#algebra = algebra;
    this.#computed = computed;
    this.#isMovable = isMovable(permutations);
    const { units } = permutations.spec;
    this.#factorOfUnit = new Int32Array(units).fill(-1);
    this.#fixedLabelOfUnit = new Int32Array(units).fill(-1);
    this.#unitOfVariable = new Int32Array(algebra.variables).fill(-1);
    this.#unitsOfVariable = new Int32Array(algebra.variables);
    for (const [name, { fields }] of walk.weights) {
      if (walk.unchanged?.has(name)) continue;
      for (const { labels } of fields) for (const label of labels) this.#count(label);
    }
    for (const [unit, factor] of this.#factorOfUnit.entries()) {
      if (factor <= ONE) continue;
      const variable = variableOf(factor);
      this.#unitOfVariable[variable] = unit;
      this.#unitsOfVariable[variable] = (this.#unitsOfVariable[variable] as number) + 1;
    }
  }

  #count(label: number): void {
    // Units that follow others, such as outputs of queries that read the values of their group, are mixed
    // like these.
    if (!this.#isMovable(label)) return;
    const unit = unitOf(this.#permutations, label);
    const factor = this.#algebra.sets.find(factorOf(label));
    const first = this.#factorOfUnit[unit] as number;
    const same = first < 0 || variableOf(first) === variableOf(factor);
    this.#factorOfUnit[unit] = first < 0 ? factor : same ? first : ONE;
    const isFixed = this.#algebra.fixedBy(label) !== undefined;
    if (isFixed && (this.#fixedLabelOfUnit[unit] as number) < 0) this.#fixedLabelOfUnit[unit] = label;
  }

  isFree(firstUnit: number, size: number): boolean {
    for (let unit = firstUnit; unit < firstUnit + size; unit++) {
      const factor = this.#factorOfUnit[unit] as number;
      // If units share a factor, such as copies of a vector, one could not be mixed without the other.
      if (factor <= ONE || this.#unitsOfVariable[variableOf(factor)] !== 1) return false;
    }
    return true;
  }

  fixedBy(firstUnit: number, size: number): string | undefined {
    for (let unit = firstUnit; unit < firstUnit + size; unit++) {
      const label = this.#fixedLabelOfUnit[unit] as number;
      if (label >= 0) return this.#algebra.fixedBy(label);
    }
    return undefined;
  }

  unitOf(factor: Factor): number {
    const root = this.#algebra.sets.find(factor);
    return root === ONE ? -1 : (this.#unitOfVariable[variableOf(root)] as number);
  }

  cellOf(factor: Factor | undefined): number {
    return factor === undefined ? -1 : this.#algebra.cellOf(factor);
  }

  layOutWeights(spaces: readonly MixingSpace[]): Map<string, MixedLayout> {
    const layouts = new Map<string, MixedLayout>();
    const mixedUnits = this.#unitsOf(spaces);
    for (const [name, { view, fields }] of this.#walk.weights) {
      if (this.#walk.unchanged?.has(name)) continue;
      const factored = fields.map(({ axes, labels }) => ({ axes, data: labels.map(factorOf) }));
      const mixed = this.#layOut(factored, mixedUnits, new Map());
      if (mixed.length > 0) layouts.set(name, { view, fields: mixed });
    }
    return layouts;
  }

  layOutValues(spaces: readonly MixingSpace[]): Map<string, MixedLayout> {
    const layouts = new Map<string, MixedLayout>();
    const mixedUnits = this.#unitsOf(spaces);
    // Many values have the fields of the value that they are computed from.
    const codesOf = new Map<Int32Array, Codes>();
    for (const [name, { shape, fields }] of this.#computed) {
      const mixed = this.#layOut(fields, mixedUnits, codesOf);
      if (mixed.length > 0) layouts.set(name, { view: shape, fields: mixed });
    }
    return layouts;
  }

  /** Marks the units of some spaces by 1, `[units]`. */
  #unitsOf(spaces: readonly MixingSpace[]): Uint8Array {
    const marks = new Uint8Array(this.#permutations.spec.units);
    for (const { firstUnit, size } of spaces) marks.fill(1, firstUnit, firstUnit + size);
    return marks;
  }

  #layOut(
    fields: readonly { readonly axes: readonly number[]; readonly data: Int32Array }[],
    mixedUnits: Uint8Array,
    codesOf: Map<Int32Array, Codes>,
  ): MixedField[] {
    return fields.flatMap(({ axes, data }): MixedField[] => {
      const codes = codesOf.get(data) ?? this.#codesOf(data, mixedUnits);
      codesOf.set(data, codes);
      return codes.isMixed ? [{ axes, units: codes.units, inverse: codes.inverse }] : [];
    });
  }

  #codesOf(data: Int32Array, mixedUnits: Uint8Array): Codes {
    const units = new Int32Array(data.length);
    const inverse = new Uint8Array(data.length);
    let isMixed = false;
    for (let i = 0; i < data.length; i++) {
      const factor = data[i] as number;
      const unit = this.unitOf(factor);
      const isUnit = unit >= 0 && mixedUnits[unit] === 1;
      units[i] = isUnit ? unit : -1;
      if (!isUnit) continue;
      inverse[i] = this.#isBehind(factor, unit);
      isMixed = true;
    }
    return { units, inverse, isMixed };
  }

  /** Returns 1 if a factor is the inverse of the factor of the unit's first occurrence, else 0. */
  #isBehind(factor: Factor, unit: number): number {
    const first = this.#factorOfUnit[unit] as number;
    return isInverse(this.#algebra.sets.find(factor)) === isInverse(first) ? 0 : 1;
  }
}
