import { type Engine, type Graph, type Probe, type ProbeOptions, probeGraph } from "@isthmus/graph";
import type { Derivation } from "../derive-spec.ts";
import type { Field, Labelled } from "../labels/field.ts";
import { FactorAlgebra, type LinearKind } from "./factor-algebra.ts";
import type {
  DiagonalSymmetry,
  FactorField,
  FactorLayout,
  LinearSymmetries,
  RotationSpace,
  UnitField,
  UnitLayout,
} from "./linear-symmetries.ts";
import { factorOf, isInverse, ONE, variableOf } from "./signed-sets.ts";
import { walkFactors } from "./walk-factors.ts";

/**
 * Discovers what else than permuting can be done to weights without changing what a graph computes.
 *
 * - scales: a hidden unit may be multiplied by a positive number, and undone behind, where all in between is positively
 *   homogeneous: linear maps, ReLU, LeakyReLU, pools; the scale and offset of a norm count as what makes the unit
 * - signs: a unit may be negated where all in between is odd: linear maps, tanh, erf, sin
 * - rotations: a cell of units may be mixed by an orthogonal matrix where all in between is linear in them and none is
 *   multiplied by a number of its own: the inner dimensions of queries and keys without rotary embedding or norm, and of
 *   values and outputs. Biases in front are rotated as well.
 *
 * @see Meng et al., G-SGD (2019), and Stock et al., Equi-normalization (2019), section 3, on scales; Ashkboos et al., SliceGPT
 *   (2024), section 3, on rotations
 * @param derivation - the permutation symmetries of the same graph
 * @throws EngineError if the engine cannot run the graph
 */
export async function discoverLinearSymmetries(
  graph: Graph,
  engine: Engine,
  derivation: Derivation,
  options: ProbeOptions = {},
): Promise<LinearSymmetries> {
  return deriveLinearSymmetries(graph, await probeGraph(graph, engine, options), derivation);
}

/** As {@link discoverLinearSymmetries}, of a graph that was run already. */
export function deriveLinearSymmetries(graph: Graph, probe: Probe, derivation: Derivation): LinearSymmetries {
  const walk = new Walks(graph, probe, derivation);
  return { scales: walk.diagonal("scale"), signs: walk.diagonal("sign"), ...walk.rotations() };
}

class Walks {
  readonly #graph: Graph;
  readonly #probe: Probe;
  readonly #derivation: Derivation;

  constructor(graph: Graph, probe: Probe, derivation: Derivation) {
    this.#graph = graph;
    this.#probe = probe;
    this.#derivation = derivation;
  }

  diagonal(kind: DiagonalSymmetry["kind"]): DiagonalSymmetry {
    const { algebra, computed } = this.#walk(kind, () => true);
    const numbers = new Map<number, number>();
    const weights = new Map<string, FactorLayout>();
    for (const [name, { info, view, fields }] of this.#derivation.labels.weights) {
      const factors = fields.map(({ axes, labels }) => ({ axes, data: labels.map(factorOf) }));
      const layout = layOut({ shape: info.shape, view, fields: factors }, algebra, numbers);
      if (layout !== undefined) weights.set(name, layout);
    }
    const variables = numbers.size;
    const values = new Map<string, FactorLayout>();
    for (const [name, { shape, fields }] of computed) {
      const layout = layOut({ shape, view: shape, fields }, algebra, numbers);
      if (layout !== undefined) values.set(name, layout);
    }
    return { kind, variables, weights, values };
  }

  rotations(): Pick<LinearSymmetries, "rotations" | "rotatedValues"> {
    const { spec } = this.#derivation;
    const unitOf = (label: number): number => this.#unitOf(label);
    const movable = spec.followers[0]?.firstUnit ?? spec.units;
    const { algebra, computed } = this.#walk("rotation", (label) => {
      const unit = unitOf(label);
      return unit >= 0 && unit < movable;
    });
    const found = this.#factorsOfUnits(algebra);
    const carriers = countValues(found);
    const rotations = spec.symmetries.flatMap(({ name, firstUnit, size, cells }) =>
      cells.flatMap((_, cell): RotationSpace[] => {
        const first = firstUnit + cell * size;
        const factors = Array.from({ length: size }, (_unused, i) => found.get(first + i) ?? ONE);
        // Of units that share a factor, as copies of a vector do, one could not be mixed without the other.
        const free = factors.every((factor) => factor !== ONE && carriers.get(factor) === 1);
        return free ? [{ symmetry: name, cell, firstUnit: first, size }] : [];
      }),
    );
    return { rotations, rotatedValues: layOutUnits(computed, algebra, { rotations, found }) };
  }

  #unitOf(label: number): number {
    const { group, units } = this.#derivation;
    return units.unitOf[group.classes.classOf[label] as number] as number;
  }

  /** The one factor of each unit; {@link ONE} where it has several in different weights, or none. */
  #factorsOfUnits(algebra: FactorAlgebra): Map<number, number> {
    const found = new Map<number, number>();
    for (const { fields } of this.#derivation.labels.weights.values()) {
      for (const label of fields.flatMap(({ labels }) => [...labels])) {
        const unit = this.#unitOf(label);
        if (unit < 0) continue;
        const factor = algebra.sets.find(factorOf(label));
        const known = found.get(unit);
        found.set(unit, known === undefined || known === factor ? factor : ONE);
      }
    }
    return found;
  }

  #walk(kind: LinearKind, mayChange: (label: number) => boolean) {
    const { labels } = this.#derivation;
    const algebra = new FactorAlgebra(kind, this.#cellOfLabels());
    const walk = { graph: this.#graph, probe: this.#probe, weights: labels.weights, mayChange };
    return { algebra, computed: walkFactors(walk, algebra) };
  }

  /** Number of the cell that the unit of each label is in, or -1. */
  #cellOfLabels(): Int32Array {
    const { spec, labels } = this.#derivation;
    const cellOfUnit = new Int32Array(spec.units).fill(-1);
    let cells = 0;
    for (const symmetry of spec.symmetries) {
      const end = symmetry.firstUnit + symmetry.size * symmetry.cells.length;
      for (let unit = symmetry.firstUnit; unit < end; unit += symmetry.size) {
        cellOfUnit.fill(cells++, unit, unit + symmetry.size);
      }
    }
    return Int32Array.from({ length: labels.store.count }, (_, label) => {
      const unit = this.#unitOf(label);
      return unit < 0 ? -1 : (cellOfUnit[unit] as number);
    });
  }
}

/** How many keys of a map have each value. */
function countValues(map: ReadonlyMap<number, number>): Map<number, number> {
  const counts = new Map<number, number>();
  for (const value of map.values()) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

/** Factors on a tensor. */
interface FactoredTensor {
  readonly shape: readonly number[];
  readonly view: readonly number[];
  readonly fields: readonly Pick<Field, "axes" | "data">[];
}

/** Variables of a tensor, numbered as they are met; undefined if it has none. */
function layOut(
  { shape, view, fields }: FactoredTensor,
  { sets }: FactorAlgebra,
  numbers: Map<number, number>,
): FactorLayout | undefined {
  const own = fields.map(({ axes, data }): FactorField => {
    const variables = data.map((given) => {
      const factor = sets.find(given);
      if (factor === ONE) return 0;
      const root = variableOf(factor);
      const number = numbers.get(root) ?? numbers.size;
      numbers.set(root, number);
      return isInverse(factor) ? -(number + 1) : number + 1;
    });
    return { axes, variables };
  });
  const changing = own.filter(({ variables }) => variables.some((variable) => variable !== 0));
  return changing.length === 0 ? undefined : { shape, view, fields: changing };
}

/** Units of rotated cells on the values that are mixed. */
function layOutUnits(
  computed: ReadonlyMap<string, Labelled>,
  { sets }: FactorAlgebra,
  { rotations, found }: { readonly rotations: readonly RotationSpace[]; readonly found: Map<number, number> },
): Map<string, UnitLayout> {
  const unitOf = new Map<number, number>();
  for (const { firstUnit, size } of rotations) {
    for (let unit = firstUnit; unit < firstUnit + size; unit++) unitOf.set(found.get(unit) ?? ONE, unit);
  }
  const layouts = new Map<string, UnitLayout>();
  for (const [name, { shape, fields }] of computed) {
    const own = fields.map(
      ({ axes, data }): UnitField => ({
        axes,
        units: data.map((factor) => unitOf.get(sets.find(factor)) ?? -1),
      }),
    );
    const mixed = own.filter(({ units }) => units.some((unit) => unit >= 0));
    if (mixed.length > 0) layouts.set(name, { view: shape, fields: mixed });
  }
  return layouts;
}
