import type { Engine } from "../../engine.ts";
import type { Graph } from "../../ir/graph.ts";
import type { Derivation } from "../derive-spec.ts";
import type { LabelledWeight } from "../labels/label-weight.ts";
import { type Probe, type ProbeOptions, probeGraph } from "../probe-graph.ts";
import { FactorAlgebra, type LinearKind } from "./factor-algebra.ts";
import type {
  DiagonalSymmetry,
  FactorField,
  FactorLayout,
  LinearSymmetries,
  RotationSpace,
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
  return { scales: walk.diagonal("scale"), signs: walk.diagonal("sign"), rotations: walk.rotations() };
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
    const algebra = this.#walk(kind, () => true);
    const numbers = new Map<number, number>();
    const weights = new Map<string, FactorLayout>();
    for (const [name, weight] of this.#derivation.labels.weights) {
      const layout = layOut(weight, algebra, numbers);
      if (layout !== undefined) weights.set(name, layout);
    }
    return { kind, variables: numbers.size, weights };
  }

  rotations(): RotationSpace[] {
    const { spec } = this.#derivation;
    const unitOf = (label: number): number => this.#unitOf(label);
    const movable = spec.followers[0]?.firstUnit ?? spec.units;
    const algebra = this.#walk("rotation", (label) => {
      const unit = unitOf(label);
      return unit >= 0 && unit < movable;
    });
    const found = this.#factorsOfUnits(algebra);
    return spec.symmetries.flatMap(({ name, firstUnit, size, cells }) =>
      cells.flatMap((_, cell): RotationSpace[] => {
        const first = firstUnit + cell * size;
        const factors = Array.from({ length: size }, (_unused, i) => found.get(first + i) ?? ONE);
        const free = factors.every((factor) => factor !== ONE) && new Set(factors).size === size;
        return free ? [{ symmetry: name, cell, firstUnit: first, size }] : [];
      }),
    );
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

  #walk(kind: LinearKind, mayChange: (label: number) => boolean): FactorAlgebra {
    const { labels } = this.#derivation;
    const algebra = new FactorAlgebra(kind, this.#cellOfLabels());
    walkFactors({ graph: this.#graph, probe: this.#probe, weights: labels.weights, mayChange }, algebra);
    return algebra;
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

/** Variables of a weight, numbered as they are met; undefined if it has none. */
function layOut(
  { info, view, fields }: LabelledWeight,
  { sets }: FactorAlgebra,
  numbers: Map<number, number>,
): FactorLayout | undefined {
  const own = fields.map(({ axes, labels }): FactorField => {
    const variables = labels.map((label) => {
      const factor = sets.find(factorOf(label));
      if (factor === ONE) return 0;
      const root = variableOf(factor);
      const number = numbers.get(root) ?? numbers.size;
      numbers.set(root, number);
      return isInverse(factor) ? -(number + 1) : number + 1;
    });
    return { axes, variables };
  });
  const changing = own.filter(({ variables }) => variables.some((variable) => variable !== 0));
  return changing.length === 0 ? undefined : { shape: info.shape, view, fields: changing };
}
