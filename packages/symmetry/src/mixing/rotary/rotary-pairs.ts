import { at, entry } from "@isthmus/core";
import { dependentValues } from "@isthmus/graph/ir";
import type { Symmetries } from "../../derive-spec.ts";
import type { Labelled } from "../../labels/field.ts";
import { isInverse, ONE, variableOf } from "../../linear/signed-sets.ts";
import { type LabelWalk, walkGraph } from "../../linear/walk-factors.ts";
import type { MixedField, MixedLayout, MixingSpace } from "../mixing-symmetries.ts";
import { STILL } from "./place-table.ts";
import { TurnAlgebra } from "./turn-algebra.ts";
import { turnRuleOf } from "./turn-rules.ts";

/** Complex numbers that may multiply pairs of units, and the places of the pairs. */
export interface RotaryPairs {
  /**
   * Spaces of two units, one for each number: the real and the imaginary part of the pair that it multiplies.
   */
  readonly spaces: readonly MixingSpace[];
  /** Pairs in each weight that holds some, by its name. */
  readonly weights: ReadonlyMap<string, MixedLayout>;
  /** Pairs in each computed value that holds some, by its name. */
  readonly values: ReadonlyMap<string, MixedLayout>;
  /** Values that hold only one part of some pair. */
  readonly unpredictable: ReadonlySet<string>;
}

/**
 * Finds the pairs of units that one complex number each may multiply: for queries and keys with rotary
 * embedding there is a number for each frequency and head of keys. Queries are multiplied by it, and keys are
 * divided by its conjugate.
 *
 * No permutation exchanges these units, so they are numbered behind the units of the specification.
 *
 * @see Su et al., RoFormer (2021), section 3.2.2: the maps that commute with the rotation of a pair by any
 *   angle are multiplications by a complex number
 */
export function findRotaryPairs(
  walk: Pick<LabelWalk, "graph" | "probe">,
  permutations: Symmetries,
): RotaryPairs {
  const { weights, store } = permutations.labels;
  const owners = new Array<string>(store.count).fill("");
  for (const [name, { fields }] of weights) {
    for (const { labels } of fields) for (const label of labels) owners[label] = name;
  }
  const inputs = walk.graph.inputs.map(({ name }) => name);
  const activations = dependentValues(walk.graph, inputs);
  const algebra = new TurnAlgebra(owners, (name) => activations.has(name));
  const computed = walkGraph({ ...walk, weights, mayChange: () => true }, algebra, turnRuleOf);
  algebra.finish();
  return new Pairs(algebra, permutations, computed).result();
}

/** Bound of marks: a label and a mark make a whole number below 2^53. */
const MARKS = 2 ** 26;

/** Places of a tensor that are the two parts of one number. */
interface PairedPlaces {
  /** Whether each real part that may change has its imaginary part. */
  readonly isWhole: boolean;
  /** Whether the real and imaginary parts that one number multiplies come in the same order. */
  readonly isOrdered: boolean;
  /** The place of the other part; -1 at places that do not change. */
  readonly partners: Int32Array;
  /** 1 at imaginary parts. */
  readonly imaginary: Uint8Array;
}

class Pairs {
  readonly #algebra: TurnAlgebra;
  readonly #permutations: Symmetries;
  readonly #computed: ReadonlyMap<string, Labelled>;
  readonly #spaces: MixingSpace[] = [];
  readonly #cells = new Map<string, number>();
  /** Index of the space of each variable, and whether the variable is an inverse in its first occurrence. */
  readonly #spaceOf = new Map<number, { readonly index: number; readonly isInverse: boolean }>();

  constructor(algebra: TurnAlgebra, permutations: Symmetries, computed: ReadonlyMap<string, Labelled>) {
    this.#algebra = algebra;
    this.#permutations = permutations;
    this.#computed = computed;
  }

  result(): RotaryPairs {
    const weights = [...this.#permutations.labels.weights].map(([name, { view, fields }]) => {
      const coded = fields.map(({ axes, labels }) => ({
        axes,
        data: labels.map((label) => this.#algebra.codeOf(label)),
      }));
      return { name, view, fields: coded };
    });
    for (const { fields } of weights) for (const { data } of fields) this.#fixLonely(data);
    for (const { name, fields } of weights) for (const { data } of fields) this.#number(name, data);
    const ofWeights = weights.flatMap(({ name, view, fields }): [string, MixedLayout][] => {
      const mixed = fields.flatMap((field) => this.#layOut(field, this.#pairUp(field.data)) ?? []);
      return mixed.length === 0 ? [] : [[name, { view, fields: mixed }]];
    });
    const values = new Map<string, MixedLayout>();
    const unpredictable = new Set<string>();
    for (const [name, { shape, fields }] of this.#spaces.length === 0 ? [] : this.#computed) {
      const paired = fields.map((field) => ({ field, places: this.#pairUp(field.data) }));
      if (paired.every(({ places }) => places.isWhole && places.isOrdered)) {
        const mixed = paired.flatMap(({ field, places }) => this.#layOut(field, places) ?? []);
        if (mixed.length > 0) values.set(name, { view: shape, fields: mixed });
      } else {
        unpredictable.add(name);
      }
    }
    return { spaces: this.#spaces, weights: new Map(ofWeights), values, unpredictable };
  }

  /** Demands that a number does not change if a weight holds only one part of it. */
  #fixLonely(data: Int32Array): void {
    // In a weight a number lies once; if it lay there more often, it would be unknown which parts belong
    // together.
    const { partners, isOrdered } = this.#pairUp(data, 1);
    data.forEach((code, place) => {
      if (partners[place] === -1 || !isOrdered) this.#algebra.fixPlace(code);
    });
  }

  /** Finds the other part of each place that may change. */
  #pairUp(data: Int32Array, most: number = data.length): PairedPlaces {
    const partners = new Int32Array(data.length).fill(-1);
    const imaginary = new Uint8Array(data.length);
    const phases = new Uint8Array(data.length);
    const groups = new Map<number, [number[], number[]]>();
    data.forEach((code, place) => {
      if (code === STILL || this.#algebra.factorAt(code) === ONE) return;
      const { root, phase } = this.#algebra.partOf(code);
      phases[place] = phase;
      const key = root * MARKS + this.#algebra.places.markOf(code);
      const group = groups.get(key) ?? [[], []];
      groups.set(key, group);
      at(group, phase & 1, "part").push(place);
    });
    let isWhole = true;
    for (const [even, odd] of groups.values()) {
      if (even.length !== odd.length || even.length > most) {
        isWhole = false;
        continue;
      }
      even.forEach((a, k) => {
        const b = at(odd, k, "place");
        partners[a] = b;
        partners[b] = a;
        // The imaginary part of V is the real part of -i V.
        imaginary[(((phases[b] as number) - (phases[a] as number)) & 3) === 3 ? b : a] = 1;
      });
    }
    return { isWhole, isOrdered: this.#isOrdered(data, partners, imaginary), partners, imaginary };
  }

  /** Checks whether the real and imaginary parts that one number multiplies come in the same order. */
  #isOrdered(data: Int32Array, partners: Int32Array, imaginary: Uint8Array): boolean {
    const parts = new Map<number, [number[], number[]]>();
    data.forEach((code, place) => {
      if (partners[place] === -1) return;
      const factor = this.#algebra.factorAt(code);
      const ofFactor = parts.get(factor) ?? [[], []];
      parts.set(factor, ofFactor);
      at(ofFactor, imaginary[place] as number, "part").push(place);
    });
    return [...parts.values()].every(([real, other]) =>
      real.every((place, k) => partners[place] === other[k]),
    );
  }

  /** Gives numbers to the spaces of a weight that did not occur before. */
  #number(name: string, data: Int32Array): void {
    for (const code of data) {
      const factor = this.#algebra.factorAt(code);
      if (factor === ONE || this.#spaceOf.has(variableOf(factor))) continue;
      const index = this.#spaces.length;
      this.#spaceOf.set(variableOf(factor), { index, isInverse: isInverse(factor) });
      const symmetry = `${name.replace(/[._](weight|bias)$/, "")}.rotary`;
      const cell = this.#cells.get(symmetry) ?? 0;
      this.#cells.set(symmetry, cell + 1);
      const firstUnit = this.#permutations.spec.units + 2 * index;
      this.#spaces.push({ symmetry, cell, firstUnit, size: 2, group: "complex" });
    }
  }

  #layOut({ axes, data }: CodedField, { partners, imaginary }: PairedPlaces): MixedField | undefined {
    if (!partners.some((place) => place >= 0)) return undefined;
    const inverse = new Uint8Array(data.length);
    const units = data.map((code, place) => {
      if (partners[place] === -1) return -1;
      const factor = this.#algebra.factorAt(code);
      const space = entry(this.#spaceOf, variableOf(factor), "space");
      inverse[place] = isInverse(factor) === space.isInverse ? 0 : 1;
      return at(this.#spaces, space.index, "space").firstUnit + (imaginary[place] as number);
    });
    return { axes, units, inverse };
  }
}

/** Codes along some axes of a tensor. */
interface CodedField {
  readonly axes: readonly number[];
  readonly data: Int32Array;
}
