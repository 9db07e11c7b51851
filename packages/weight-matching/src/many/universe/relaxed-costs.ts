import { at, entry } from "@isthmus/core";
import type { MemberCosts, PanelSources } from "../../coordinate-descent/member-costs.ts";
import type { MemberOccurrences, Occurrence } from "../../coordinate-descent/occurrences.ts";
import type { Member } from "../../coordinate-descent/unit-tree.ts";
import { ChangedPanels, type PanelPair, selectUnits } from "./changed-panels.ts";
import type { ComponentMoves } from "./component-moves.ts";
import type { PanelFactors, PanelSums } from "./panel-sums.ts";
import { type PanelTables, readPanel } from "./parted-weight.ts";
import type { RelaxedWeight } from "./relaxed-weight.ts";

/** The weights that the costs of one network are computed from, by name. */
export interface RelaxedPair {
  /** The sum of the other networks, part by part. */
  readonly others: ReadonlyMap<string, Float32Array>;
  /** Weights of the network itself, stored and relaxed. */
  readonly weights: ReadonlyMap<string, RelaxedWeight>;
}

/** Tools that the costs of all networks of a universe share. */
export interface CostTools {
  /** Port that sums the products of panels. */
  readonly sums: PanelSums;
  /** Positions of the elements of each occurrence, for reading it as a panel. */
  readonly tables: ReadonlyMap<Occurrence, PanelTables>;
  /** Memory for the costs of each member, `[units, units]` each. */
  readonly spare: Map<Member, Float32Array>;
  /** Record of which positions of the weights were moved in some network, and when. */
  readonly moves: ComponentMoves;
}

/** Costs of a member from their last computation, and the panels that they were computed from. */
interface Followed {
  cost: Float32Array;
  readonly panels: ReadonlyMap<Occurrence, ChangedPanels>;
  /** Moves that they take into account. */
  moves: number;
  /** Places along the depth that were changed since the last full sum, as a share of all. */
  drift: number;
}

/**
 * Share of the work of a full sum above which costs are summed in full; and share of changed places after
 * which the rounding of changes is removed by a full sum.
 */
const FULL_FROM = 0.6;
const MAX_DRIFT = 2;

/**
 * The costs of one network's units in the universe: the slope of the objective by its relaxed permutations
 * while the other networks stay.
 *
 * If only placements change, as in polishing, costs are followed: only the products of changed units and
 * places are computed.
 */
export class RelaxedCosts implements MemberCosts {
  readonly #occurrences: MemberOccurrences;
  readonly #tools: CostTools;
  readonly #pair: RelaxedPair;
  #followed: Map<Member, Followed> | undefined;

  constructor(occurrences: MemberOccurrences, pair: RelaxedPair, tools: CostTools) {
    this.#occurrences = occurrences;
    this.#pair = pair;
    this.#tools = tools;
  }

  /** Begins to keep costs, and to compute only their changes. */
  follow(): void {
    this.#followed ??= new Map();
  }

  async costOf(
    member: Member,
    _: PanelSources,
    usable?: (occurrence: Occurrence) => boolean,
  ): Promise<Float32Array> {
    const pairs = this.#panelsOf(member, usable);
    if (this.#followed === undefined || usable !== undefined) return this.#sum(member, pairs);
    const followed = this.#followed.get(member);
    if (followed === undefined) {
      const cost = (await this.#sum(member, pairs)).slice();
      const panels = new Map([...pairs].map(([occurrence, pair]) => [occurrence, new ChangedPanels(pair)]));
      this.#followed.set(member, { cost, panels, moves: this.#tools.moves.count, drift: 0 });
      return cost;
    }
    await this.#update(member, followed, pairs);
    return followed.cost;
  }

  /** Sums the products of all panels in memory that all networks share. */
  async #sum(member: Member, pairs: ReadonlyMap<Occurrence, PanelPair>): Promise<Float32Array> {
    const out = this.#spareOf(member);
    await this.#tools.sums.sum([...pairs.values()], { out });
    return out;
  }

  /** Brings costs that were computed before up to date. */
  async #update(
    member: Member,
    followed: Followed,
    pairs: ReadonlyMap<Occurrence, PanelPair>,
  ): Promise<void> {
    const { sums, moves } = this.#tools;
    const units = unitsOfMember(member);
    const changes = new Map([...pairs.keys()].map((one) => [one, this.#changesSince(followed.moves, one)]));
    const anew = this.#unitsMovedSince(followed.moves, [...pairs.keys()], units);
    followed.moves = moves.count;
    let [work, full, drift] = [0, 0, 0];
    for (const [occurrence, pair] of pairs) {
      const { length } = entry(changes, occurrence, "change");
      const depth = pair.a.length / units;
      work += 2 * length + (depth * anew.length) / units;
      full += depth;
      drift += length;
    }
    followed.drift += drift / full;
    if (work > FULL_FROM * full || followed.drift > MAX_DRIFT) {
      followed.drift = 0;
      followed.cost.set(await this.#sum(member, pairs));
      for (const [occurrence, pair] of pairs) entry(followed.panels, occurrence, "panel").reset(pair);
      return;
    }
    const changed: PanelFactors[] = [];
    for (const [occurrence, pair] of pairs) {
      const places = entry(changes, occurrence, "change");
      const panels = entry(followed.panels, occurrence, "panel");
      panels.noteUnits(pair, anew);
      if (places.length > 0) changed.push(panels.follow(pair, places));
    }
    if (changed.length > 0) {
      const out = this.#spareOf(member);
      await sums.sum(changed, { base: followed.cost, out });
      this.#tools.spare.set(member, followed.cost);
      followed.cost = out;
    }
    if (anew.length > 0) await this.#computeRows(followed.cost, pairs, anew);
  }

  /** Finds the places along the depth of an occurrence that moves of its partner have touched, ascending. */
  #changesSince(count: number, occurrence: Occurrence): Int32Array {
    const { partner, slots } = entry(this.#tools.tables, occurrence, "occurrence");
    if (partner === undefined) return new Int32Array();
    const { component, positions } = partner;
    const hasMoved = this.#tools.moves.since(count, component);
    const depth = Int32Array.from({ length: slots.length * positions.length }, (_, place) => place);
    return depth.filter((place) => hasMoved(at(positions, place % positions.length, "place")));
  }

  /** Finds the units of which an occurrence has moved at some position, ascending. */
  #unitsMovedSince(count: number, occurrences: readonly Occurrence[], units: number): Int32Array {
    const hasMoved = new Uint8Array(units);
    for (const { tensor, moving, positions, slots } of occurrences) {
      const { components } = entry(this.#pair.weights, tensor, "weight").weight;
      const moved = this.#tools.moves.since(count, at(components, moving, "component"));
      positions.forEach((position, k) => {
        if (moved(position)) hasMoved[Math.floor(k / slots)] = 1;
      });
    }
    return Int32Array.from(hasMoved.keys()).filter((unit) => hasMoved[unit] === 1);
  }

  /** Computes the costs of some places in full. */
  async #computeRows(
    cost: Float32Array,
    pairs: ReadonlyMap<Occurrence, PanelPair>,
    places: Int32Array,
  ): Promise<void> {
    const units = Math.sqrt(cost.length);
    const rows = new Float32Array(places.length * units);
    const chosen = [...pairs.values()].map((pair) => ({ ...pair, a: selectUnits(pair, places) }));
    await this.#tools.sums.sum(chosen, { out: rows });
    places.forEach((place, k) => {
      cost.set(rows.subarray(k * units, (k + 1) * units), place * units);
    });
  }

  #spareOf(member: Member): Float32Array {
    const spare = this.#tools.spare.get(member) ?? new Float32Array(unitsOfMember(member) ** 2);
    this.#tools.spare.set(member, spare);
    return spare;
  }

  #panelsOf(
    member: Member,
    usable: ((occurrence: Occurrence) => boolean) | undefined,
  ): ReadonlyMap<Occurrence, PanelPair> {
    const pairs = new Map<Occurrence, PanelPair>();
    for (const occurrence of entry(this.#occurrences, member, "member")) {
      const tables = this.#tools.tables.get(occurrence);
      if (tables === undefined || usable?.(occurrence) === false) continue;
      const weight = entry(this.#pair.weights, occurrence.tensor, "weight");
      const a = entry(this.#pair.others, occurrence.tensor, "weight");
      const b = weight.besides(occurrence.moving);
      const isGathered = tables.kind === "gathered";
      pairs.set(occurrence, {
        a: isGathered ? readPanel(a, tables) : a,
        b: isGathered ? readPanel(b, tables) : b,
        byRows: tables.kind === "rows",
        units: unitsOfMember(member),
        isFixed: !isGathered && weight.isFixedBesides,
      });
    }
    return pairs;
  }
}

/** Counts the units of a member, over all its cells. */
const unitsOfMember = ({ symmetry }: Member): number => symmetry.cells.length * symmetry.size;
