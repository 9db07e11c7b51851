import { at, InvariantError } from "@isthmus/core";
import type { Graph, Node } from "@isthmus/graph";
import { dependentValues } from "@isthmus/graph/ir";
import type { FactoredCells } from "./factored-cells.ts";
import type { GateVisit } from "./gate-rules.ts";
import type { FixedNorm, KnownSymmetries, MixingSpace, StreamGain, StreamNorm } from "./mixing-symmetries.ts";
import type { NormVisit } from "./norm-rules.ts";
import { SharedWeights } from "./shared-weights.ts";

/** The norms and gates that a walk reached. */
export interface StreamVisits {
  /** Norms in the order in which they were reached. */
  readonly norms: readonly NormVisit[];
  /** Gates in the order in which they were reached. */
  readonly gates: readonly GateVisit[];
}

/** A norm or a gate that a walk reached. */
interface GainVisit {
  readonly gain: string | undefined;
  readonly factors: Int32Array | undefined;
  /** Nodes of the norm; undefined for a gate. */
  readonly nodes: readonly Node[] | undefined;
}

/** A gain that can be moved, and the scales that move it. */
type MovedGain = Omit<StreamGain, "space">;

/** Residual streams: cells whose units norms measure, and that are free once gains are moved. */
export class Streams {
  readonly spaces: MixingSpace[] = [];
  readonly norms: StreamNorm[] = [];
  readonly gains: StreamGain[] = [];
  readonly fixed: FixedNorm[] = [];
  readonly #known: KnownSymmetries;
  readonly #cells: FactoredCells;
  /** Values that depend on the data. */
  readonly #activations: ReadonlySet<string>;
  /** Weights that several nodes read. */
  readonly #shared: SharedWeights;

  constructor(graph: Graph, symmetries: KnownSymmetries, cells: FactoredCells, visits: StreamVisits) {
    this.#known = symmetries;
    this.#cells = cells;
    this.#activations = dependentValues(
      graph,
      graph.inputs.map(({ name }) => name),
    );
    this.#shared = new SharedWeights(graph);
    const norms = this.#byCell(visits.norms);
    const gates = this.#byCell(visits.gates);
    for (const [cell, ofCell] of norms) this.#add(this.#spaceOf(cell), ofCell, gates.get(cell) ?? []);
  }

  #byCell<T extends { readonly factors: Int32Array | undefined }>(visits: readonly T[]): Map<number, T[]> {
    const byCell = new Map<number, T[]>();
    for (const visit of visits) {
      const cell = this.#cells.cellOf(visit.factors?.[0]);
      if (cell >= 0) byCell.set(cell, [...(byCell.get(cell) ?? []), visit]);
    }
    return byCell;
  }

  #spaceOf(cell: number): Omit<MixingSpace, "group"> {
    let first = 0;
    for (const { name, firstUnit, size, cells } of this.#known.permutations.spec.symmetries) {
      if (cell < first + cells.length) {
        return { symmetry: name, cell: cell - first, firstUnit: firstUnit + (cell - first) * size, size };
      }
      first += cells.length;
    }
    throw new InvariantError(`No cell ${cell} among ${first} of all symmetries; please report this`);
  }

  #add(space: Omit<MixingSpace, "group">, norms: readonly NormVisit[], gates: readonly GateVisit[]): void {
    const isFree = this.#cells.isFree(space.firstUnit, space.size);
    const candidates = [
      ...norms.map((visit) => ({ ...visit, ...visit.norm })),
      ...gates.map((visit) => ({ ...visit, ...visit.gate, nodes: undefined })),
    ];
    const index = this.spaces.length;
    const gains: StreamGain[] = [];
    for (const candidate of candidates) {
      const { input, gain } = candidate;
      const moved = gain === undefined ? undefined : this.#gainOf(gain);
      const reason = isFree
        ? (this.#reasonOf(space, candidate) ?? this.#metBecause(moved, gains))
        : this.#fixedBecause(space);
      if (reason !== undefined) {
        this.#fix({ input, symmetry: space.symmetry, reason });
        return;
      }
      if (moved !== undefined) gains.push({ ...moved, space: index });
    }
    const isCentred = norms.some(({ norm }) => norm.isCentred);
    this.spaces.push({ ...space, group: isCentred ? "orthogonal-keeping-ones" : "orthogonal" });
    const measured = norms.filter(
      ({ norm: { input }, isOfHeads }) => this.#activations.has(input) && !isOfHeads,
    );
    this.norms.push(...measured.map(({ norm: { input, gain } }) => ({ input, gain, space: index })));
    this.gains.push(...gains);
  }

  /** Lists a norm whose input may not be mixed, once for all heads. */
  #fix(norm: FixedNorm): void {
    const isListed = this.fixed.some(
      ({ symmetry, reason }) => symmetry === norm.symmetry && reason === norm.reason,
    );
    if (!isListed) this.fixed.push(norm);
  }

  /**
   * Returns why a gain cannot be moved although each of its elements has a scale: another gain is moved into
   * the same weights, as for two norms whose results are added. No single factor makes both gains 1.
   */
  #metBecause(moved: MovedGain | undefined, gains: readonly StreamGain[]): string | undefined {
    const scales = new Set(moved?.variables);
    const met = [...this.gains, ...gains].find(({ variables }) => variables.some((one) => scales.has(one)));
    return moved === undefined || met === undefined
      ? undefined
      : `the gains ${met.gain} and ${moved.gain} cannot both be moved: what they multiply is added up, or read by the same weights`;
  }

  #fixedBecause({ firstUnit, size }: Omit<MixingSpace, "group">): string {
    const node = this.#cells.fixedBy(firstUnit, size);
    return node === undefined
      ? "different weights would have to be mixed by different matrices"
      : `${node === "" ? "an output of the graph" : node} does not treat all directions alike`;
  }

  /** Returns the reason why a norm or a gate does not let a space be mixed; undefined if it does. */
  #reasonOf(
    { firstUnit, size }: Omit<MixingSpace, "group">,
    { gain, factors, nodes }: GainVisit,
  ): string | undefined {
    const units = Array.from(factors ?? [], (factor) => this.#cells.unitOf(factor));
    const present = new Set(units);
    const isWhole = units.length === size && units.every((_, i) => present.has(firstUnit + i));
    if (!isWhole) return "a norm measures only a part of the units, or some of them twice";
    if (gain === undefined || this.#gainOf(gain) !== undefined) return undefined;
    const reason = `the gain ${gain} cannot be moved into the weights that`;
    const result = nodes?.at(-1)?.outputs[0];
    if (result === undefined) return `${reason} write the branch`;
    const { shared, isAdded } = this.#shared.readersOf(result);
    if (isAdded) return `${reason} read the norm: the norm is also added to another value`;
    return shared === undefined
      ? `${reason} read the norm`
      : `${reason} read the norm: ${shared} is read twice, as an embedding that is also the head; give the head a copy of its own (isthmus convert --untie)`;
  }

  /**
   * Returns the scale variable of each element by which a gain can be moved; undefined if it cannot be moved.
   */
  #gainOf(gain: string): MovedGain | undefined {
    const layout = this.#known.linear.scales.weights.get(gain);
    if (layout?.fields.length !== 1) return undefined;
    const { origin = 0, fields } = layout;
    const signed = at(fields, 0, "field").variables;
    const isInverse = at(signed, 0, "element") < 0;
    const variables = signed.map((variable) => (isInverse ? -variable : variable) - 1);
    const isFree = new Set(signed).size === signed.length && variables.every((variable) => variable >= 0);
    return isFree ? { gain, origin, variables, isInverse } : undefined;
  }
}
