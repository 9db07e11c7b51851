import { InvariantError } from "@isthmus/core";
import { type Architecture, type Graph, type Probe, type ProbeOptions, probeGraph } from "@isthmus/graph";
import type { Symmetries } from "../derive-spec.ts";
import { isMovable, unitOf } from "../linear/label-units.ts";
import type { LinearSymmetries } from "../linear/linear-symmetries.ts";
import { type FactoredCells, factorCells } from "./factored-cells.ts";
import { findNorms, type Norm } from "./find-norms.ts";
import type {
  FixedNorm,
  MixedLayout,
  MixingSpace,
  MixingSymmetries,
  StreamNorm,
} from "./mixing-symmetries.ts";
import { type NormRules, type NormVisit, normRules } from "./norm-rules.ts";
import { sharedWeights } from "./shared-weights.ts";

/** What is known of a graph before its mixtures are looked for. */
export interface KnownSymmetries {
  readonly permutations: Symmetries;
  readonly linear: LinearSymmetries;
}

/**
 * Discovers which cells of units any matrix of a group may mix without changing what a graph computes.
 *
 * - invertible: queries against keys without rotary embedding, values against outputs, and whatever else is
 *   linear on both sides
 * - orthogonal: the residual stream between root mean square norms, once their gains are moved into the
 *   weights that read them
 * - orthogonal and keeping the vector of ones: the same between layer norms, which take the mean away
 *
 * A stream stays fixed where a gain cannot be moved: behind a norm on the stream itself (post-norm), or where
 * the head is the embedding (tied weights).
 *
 * @see Ashkboos et al., SliceGPT (2024), section 3; Theus, Cabodi et al., Generalized linear mode
 *   connectivity for transformers (2025). The graph stays as it is here: gains take the
 *   values that they have in the other network instead of 1.
 * @throws EngineError if the engine cannot run the graph
 */
export async function discoverMixing(
  { graph, engine }: Architecture,
  symmetries: KnownSymmetries,
  options: ProbeOptions = {},
): Promise<MixingSymmetries> {
  return deriveMixing(graph, await probeGraph({ graph, engine }, options), symmetries);
}

/** Derives the mixtures of {@link discoverMixing} for a graph that was probed before. */
export function deriveMixing(
  graph: Graph,
  probe: Probe,
  { permutations, linear }: KnownSymmetries,
): MixingSymmetries {
  const norms = findNorms(graph, probe);
  const rules = normRules(norms);
  const { weights } = permutations.labels;
  const walk = { graph, probe, weights, mayChange: isMovable(permutations) };
  const gains = new Set(norms.flatMap(({ gain }) => gain ?? []));
  // Outputs of grouped queries read the values of their group by units that follow the values' units.
  const throughGroups = { ...walk, mayChange: (label: number) => unitOf(permutations, label) >= 0 };
  const invertible = factorCells("mixture", throughGroups, permutations);
  const throughNorms = { ...walk, overrides: rules.overrides, unchanged: gains };
  const orthogonal = factorCells("rotation", throughNorms, permutations);
  const streams = new Streams(graph, { permutations, linear }, orthogonal, rules);
  const heads = permutations.spec.symmetries.flatMap(({ name, firstUnit, size, cells }) =>
    cells.flatMap((_, cell): MixingSpace[] => {
      const first = firstUnit + cell * size;
      const space = { symmetry: name, cell, firstUnit: first, size };
      return invertible.isFree(first, size) ? [{ ...space, group: "invertible" }] : [];
    }),
  );
  const layers = [
    { cells: invertible, spaces: heads },
    { cells: orthogonal, spaces: streams.spaces },
  ];
  return {
    spaces: [...heads, ...streams.spaces],
    weights: joinLayouts(layers.map(({ cells, spaces }) => cells.layOutWeights(spaces))),
    values: joinLayouts(layers.map(({ cells, spaces }) => cells.layOutValues(spaces))),
    unpredictable: new Set(norms.flatMap(({ square }) => square ?? [])),
    norms: streams.norms.map((norm) => ({ ...norm, space: norm.space + heads.length })),
    fixed: streams.fixed,
  };
}

function joinLayouts(layouts: readonly ReadonlyMap<string, MixedLayout>[]): Map<string, MixedLayout> {
  const joined = new Map<string, MixedLayout>();
  for (const [name, layout] of layouts.flatMap((map) => [...map])) {
    const earlier = joined.get(name);
    joined.set(
      name,
      earlier === undefined ? layout : { view: earlier.view, fields: [...earlier.fields, ...layout.fields] },
    );
  }
  return joined;
}

/** The residual streams: cells whose units norms measure, that are free once gains are moved. */
class Streams {
  readonly spaces: MixingSpace[] = [];
  readonly norms: StreamNorm[] = [];
  readonly fixed: FixedNorm[] = [];
  readonly #permutations: Symmetries;
  readonly #linear: LinearSymmetries;
  readonly #cells: FactoredCells;
  /** Weights that several nodes read. */
  readonly #shared: ReadonlySet<string>;

  constructor(
    graph: Graph,
    { permutations, linear }: KnownSymmetries,
    cells: FactoredCells,
    { visits }: NormRules,
  ) {
    this.#permutations = permutations;
    this.#linear = linear;
    this.#cells = cells;
    this.#shared = sharedWeights(graph);
    const byCell = new Map<number, NormVisit[]>();
    for (const visit of visits) {
      const cell = this.#cells.cellOf(visit.factors?.[0]);
      if (cell < 0) continue;
      byCell.set(cell, [...(byCell.get(cell) ?? []), visit]);
    }
    for (const [cell, ofCell] of byCell) this.#add(this.#spaceOf(cell), ofCell);
  }

  #spaceOf(cell: number): Omit<MixingSpace, "group"> {
    let first = 0;
    for (const { name, firstUnit, size, cells } of this.#permutations.spec.symmetries) {
      if (cell < first + cells.length) {
        return { symmetry: name, cell: cell - first, firstUnit: firstUnit + (cell - first) * size, size };
      }
      first += cells.length;
    }
    throw new InvariantError(`No cell ${cell} among ${first} of all symmetries; please report this`);
  }

  #add(space: Omit<MixingSpace, "group">, visits: readonly NormVisit[]): void {
    for (const visit of visits) {
      const reason = this.#reasonOf(space, visit);
      if (reason === undefined) continue;
      this.fixed.push({ input: visit.norm.input, symmetry: space.symmetry, reason });
      return;
    }
    const isCentred = visits.some(({ norm }) => norm.isCentred);
    const index = this.spaces.length;
    this.spaces.push({ ...space, group: isCentred ? "orthogonal-keeping-ones" : "orthogonal" });
    for (const { norm } of visits) {
      const variables = this.#variablesOf(norm) ?? new Int32Array(0);
      this.norms.push({ input: norm.input, gain: norm.gain, variables, space: index });
    }
  }

  /** Returns why a norm does not let a space be mixed; undefined if it does. */
  #reasonOf(
    { firstUnit, size }: Omit<MixingSpace, "group">,
    { norm, factors }: NormVisit,
  ): string | undefined {
    if (!this.#cells.isFree(firstUnit, size)) {
      const node = this.#cells.fixedBy(firstUnit, size);
      return node === undefined
        ? "different weights would have to be mixed by different matrices"
        : `${node === "" ? "an output of the graph" : node} does not treat all directions alike`;
    }
    const units = Array.from(factors ?? [], (factor) => this.#cells.unitOf(factor));
    const present = new Set(units);
    const isWhole = units.length === size && units.every((_, i) => present.has(firstUnit + i));
    if (!isWhole) return "a norm measures only a part of the units, or some of them twice";
    if (norm.gain !== undefined && this.#variablesOf(norm) === undefined) {
      const shared = this.#sharedOf({ firstUnit, size });
      const reason = `the gain ${norm.gain} cannot be moved into the weights that read the norm`;
      return shared === undefined
        ? reason
        : `${reason}: ${shared} is read twice, as an embedding that is also the head; give the head a copy of its own (isthmus convert --untie)`;
    }
    return undefined;
  }

  /** Returns a weight that holds the units of a space and that several nodes read; undefined if none does. */
  #sharedOf({ firstUnit, size }: Pick<MixingSpace, "firstUnit" | "size">): string | undefined {
    const isOfSpace = (unit: number) => unit >= firstUnit && unit < firstUnit + size;
    return [...this.#shared].find((name) => {
      const layout = this.#permutations.spec.weights.get(name);
      return layout?.fields.some(({ units }) => units.some(isOfSpace)) ?? false;
    });
  }

  /** Returns the scale variable of each element of a norm's gain; undefined if some element has none. */
  #variablesOf({ gain }: Norm): Int32Array | undefined {
    const layout = gain === undefined ? undefined : this.#linear.scales.weights.get(gain);
    const [field, ...others] = layout?.fields ?? [];
    if (field === undefined || others.length > 0) return undefined;
    const isFree = new Set(field.variables).size === field.variables.length;
    return isFree && field.variables.every((variable) => variable > 0)
      ? field.variables.map((variable) => variable - 1)
      : undefined;
  }
}
