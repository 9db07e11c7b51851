import { type Architecture, type Graph, type Probe, type ProbeOptions, probeGraph } from "@isthmus/graph";
import type { Symmetries } from "../derive-spec.ts";
import type { Field, Labelled } from "../labels/field.ts";
import { FactorAlgebra, type LinearKind } from "./factor-algebra.ts";
import { cellsOfLabels, isMovable, unitOf } from "./label-units.ts";
import type {
  DiagonalSymmetry,
  FactorField,
  FactorLayout,
  LinearSymmetries,
  RotationSpace,
  UnitField,
  UnitLayout,
} from "./linear-symmetries.ts";
import { findOffsetWeights, type OffsetWeight, offsetRules } from "./offset-weights.ts";
import { factorOf, isInverse, ONE, type SignedSets, variableOf } from "./signed-sets.ts";
import { walkFactors } from "./walk-factors.ts";

/**
 * Discovers the changes of weights, besides permutations, that do not change what a graph computes.
 *
 * - scales: a hidden unit may be multiplied by a positive number, and its readers divided by it, if all
 *   operators in between are positively homogeneous: linear maps, ReLU, LeakyReLU, pools; behind a norm, its
 *   scale and offset are multiplied
 * - signs: a unit may be negated if all operators in between are odd: linear maps, tanh, erf, sin
 * - rotations: a cell of units may be mixed by an orthogonal matrix if all operators in between are linear in
 *   the units and do not multiply them by different numbers: the inner dimensions of queries and keys without
 *   rotary embedding or norm, and of values and outputs. Biases in front are rotated as well.
 *
 * @see Meng et al., G-SGD (2019), and Stock et al., Equi-normalization (2019), section 3, on scales; Ashkboos
 *   et al., SliceGPT (2024), section 3, on rotations
 * @param permutations - the permutation symmetries of the same graph
 * @throws EngineError if the engine cannot run the graph
 */
export async function discoverLinearSymmetries(
  { graph, engine }: Architecture,
  permutations: Symmetries,
  options: ProbeOptions = {},
): Promise<LinearSymmetries> {
  return deriveLinearSymmetries(graph, await probeGraph({ graph, engine }, options), permutations);
}

/** Derives the symmetries of {@link discoverLinearSymmetries} for a graph that was probed before. */
export function deriveLinearSymmetries(
  graph: Graph,
  probe: Probe,
  permutations: Symmetries,
): LinearSymmetries {
  const walk = new Walks(graph, probe, permutations);
  return { scales: walk.diagonal("scale"), signs: walk.diagonal("sign"), ...walk.rotations() };
}

class Walks {
  readonly #graph: Graph;
  readonly #probe: Probe;
  readonly #permutations: Symmetries;
  readonly #offsets: readonly OffsetWeight[];
  readonly #cells: Int32Array;

  constructor(graph: Graph, probe: Probe, permutations: Symmetries) {
    this.#graph = graph;
    this.#probe = probe;
    this.#permutations = permutations;
    this.#offsets = findOffsetWeights(graph, probe);
    this.#cells = cellsOfLabels(permutations);
  }

  diagonal(kind: DiagonalSymmetry["kind"]): DiagonalSymmetry {
    const { algebra, computed } = this.#walk(kind, () => true);
    const numbers = new VariableNumbers(algebra);
    const origins = new Map(this.#offsetsOf(kind).map(({ weight, origin }) => [weight, origin]));
    const weights = new Map<string, FactorLayout>();
    for (const [name, { info, view, fields }] of this.#permutations.labels.weights) {
      const factors = fields.map(({ axes, labels }) => ({ axes, data: labels.map(factorOf) }));
      const layout = numbers.layOut({ shape: info.shape, view, fields: factors });
      const origin = origins.get(name);
      if (layout !== undefined) weights.set(name, origin === undefined ? layout : { ...layout, origin });
    }
    const variables = numbers.count;
    const values = new Map<string, FactorLayout>();
    for (const [name, { shape, fields }] of computed) {
      const layout = numbers.layOut({ shape, view: shape, fields });
      if (layout !== undefined) values.set(name, layout);
    }
    return { kind, variables, weights, values };
  }

  rotations(): Pick<LinearSymmetries, "rotations" | "rotatedValues"> {
    const { spec } = this.#permutations;
    const { algebra, computed } = this.#walk("rotation", isMovable(this.#permutations));
    const factorOfUnit = this.#factorsOfUnits(algebra);
    const carriers = new Int32Array(factorOf(algebra.variables));
    for (const factor of factorOfUnit) carriers[factor] = (carriers[factor] as number) + 1;
    const rotations = spec.symmetries.flatMap(({ name, firstUnit, size, cells }) =>
      cells.flatMap((_, cell): RotationSpace[] => {
        const first = firstUnit + cell * size;
        const factors = factorOfUnit.subarray(first, first + size);
        // If units share a factor, such as copies of a vector, one could not be mixed without the other.
        const free = factors.every((factor) => factor !== ONE && carriers[factor] === 1);
        return free ? [{ symmetry: name, cell, firstUnit: first, size }] : [];
      }),
    );
    return { rotations, rotatedValues: layOutUnits(computed, algebra, { rotations, factorOfUnit }) };
  }

  /**
   * Finds the one factor of each unit; {@link ONE} if it has different factors in different weights, or does
   * not occur.
   */
  #factorsOfUnits(algebra: FactorAlgebra): Int32Array {
    const unseen = -1;
    const factors = new Int32Array(this.#permutations.spec.units).fill(unseen);
    for (const { fields } of this.#permutations.labels.weights.values()) {
      for (const { labels } of fields) {
        for (const label of labels) {
          const unit = unitOf(this.#permutations, label);
          if (unit < 0) continue;
          const factor = algebra.sets.find(factorOf(label));
          const isSame = factors[unit] === unseen || factors[unit] === factor;
          factors[unit] = isSame ? factor : ONE;
        }
      }
    }
    return factors.map((factor) => (factor === unseen ? ONE : factor));
  }

  /** Returns the weights that a kind of factor multiplies around an origin other than 0. */
  #offsetsOf(kind: LinearKind): readonly OffsetWeight[] {
    // Signs of such weights would take the signs of the measured units away from the norms.
    return kind === "scale" ? this.#offsets : [];
  }

  #walk(kind: LinearKind, mayChange: (label: number) => boolean) {
    const { labels } = this.#permutations;
    const algebra = new FactorAlgebra(kind, this.#cells);
    const walk = {
      graph: this.#graph,
      probe: this.#probe,
      weights: labels.weights,
      mayChange,
      overrides: offsetRules(this.#offsetsOf(kind)),
    };
    return { algebra, computed: walkFactors(walk, algebra) };
  }
}

/** The factors on a tensor. */
interface FactoredTensor {
  readonly shape: readonly number[];
  readonly view: readonly number[];
  readonly fields: readonly Pick<Field, "axes" | "data">[];
}

/** Numbers the variables of tensors by first occurrence. */
class VariableNumbers {
  readonly #sets: SignedSets;
  readonly #numbers: Int32Array;
  // Many values have the fields of the value that they are computed from.
  readonly #numbered = new Map<Int32Array, Int32Array>();
  /** Number of variables that occurred. */
  count = 0;

  constructor({ sets, variables }: FactorAlgebra) {
    this.#sets = sets;
    this.#numbers = new Int32Array(variables);
  }

  /** Lays out the variables of a tensor; returns undefined if it has none. */
  layOut({ shape, view, fields }: FactoredTensor): FactorLayout | undefined {
    const layouts = fields.map(({ axes, data }): FactorField => ({ axes, variables: this.#numbersOf(data) }));
    const changing = layouts.filter(({ variables }) => variables.some((variable) => variable !== 0));
    return changing.length === 0 ? undefined : { shape, view, fields: changing };
  }

  #numbersOf(data: Int32Array): Int32Array {
    const earlier = this.#numbered.get(data);
    if (earlier !== undefined) return earlier;
    const variables = data.map((original) => {
      const factor = this.#sets.find(original);
      if (factor === ONE) return 0;
      const root = variableOf(factor);
      if (this.#numbers[root] === 0) this.#numbers[root] = ++this.count;
      const number = this.#numbers[root] as number;
      return isInverse(factor) ? -number : number;
    });
    this.#numbered.set(data, variables);
    return variables;
  }
}

/** Lays out the units of rotated cells on the values that rotations mix. */
function layOutUnits(
  computed: ReadonlyMap<string, Labelled>,
  { sets, variables }: FactorAlgebra,
  {
    rotations,
    factorOfUnit,
  }: { readonly rotations: readonly RotationSpace[]; readonly factorOfUnit: Int32Array },
): Map<string, UnitLayout> {
  const unitOf = new Int32Array(factorOf(variables)).fill(-1);
  for (const { firstUnit, size } of rotations) {
    for (let unit = firstUnit; unit < firstUnit + size; unit++) unitOf[factorOfUnit[unit] as number] = unit;
  }
  const layouts = new Map<string, UnitLayout>();
  // Many values have the fields of the value that they are computed from.
  const unitsOf = new Map<Int32Array, Int32Array>();
  for (const [name, { shape, fields }] of rotations.length === 0 ? [] : computed) {
    const unitFields = fields.map(({ axes, data }): UnitField => {
      const units = unitsOf.get(data) ?? data.map((factor) => unitOf[sets.find(factor)] as number);
      unitsOf.set(data, units);
      return { axes, units };
    });
    const mixed = unitFields.filter(({ units }) => units.some((unit) => unit >= 0));
    if (mixed.length > 0) layouts.set(name, { view: shape, fields: mixed });
  }
  return layouts;
}
