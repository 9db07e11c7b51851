import { entry } from "@isthmus/core";
import type { WeightPair } from "./alignment-objective.ts";
import type { CrossProducts } from "./cross-products.ts";
import { isFixed, type MemberCosts, type PanelSources } from "./member-costs.ts";
import type { MemberOccurrences, Occurrence } from "./occurrences.ts";
import { Panel, type PanelFactors, type PanelMove } from "./panel.ts";
import { PanelMemory, type SumHolder } from "./panel-memory.ts";
import type { Member } from "./unit-tree.ts";

/** The costs of weights that are in memory: sums are kept, and only changes are added. */
export class PanelCosts implements MemberCosts {
  readonly #occurrences: MemberOccurrences;
  readonly #weights: WeightPair;
  readonly #products: CrossProducts;
  readonly #memory: PanelMemory;
  readonly #members = new Map<Member, MemberSums>();
  readonly #panels = new Map<Occurrence, Panel>();

  /** @param memory - memory that is shared with the costs of other blocks */
  constructor(
    occurrences: MemberOccurrences,
    weights: WeightPair,
    products: CrossProducts,
    memory: PanelMemory = new PanelMemory(),
  ) {
    this.#memory = memory;
    this.#occurrences = occurrences;
    this.#weights = weights;
    this.#products = products;
  }

  async costOf(
    member: Member,
    sources: PanelSources,
    usable?: (occurrence: Occurrence) => boolean,
  ): Promise<Float32Array> {
    const sums = this.#sumsOf(member);
    this.#memory.use(sums);
    const chosen = usable === undefined ? sums.moving : sums.moving.filter(usable);
    const moves = planMoves(
      chosen.map((occurrence) => this.#panelOf(occurrence)),
      sources,
    );
    const earlier = sums.takeCost();
    const canUpdate = usable === undefined && moves.every(({ move }) => sums.allows(move));
    if (earlier !== undefined && !canUpdate) this.#memory.returnSum(earlier);
    const cost =
      earlier === undefined || !canUpdate ? await this.#sum(sums, moves) : await this.#update(earlier, moves);
    sums.keep(cost, usable === undefined ? "whole" : chosen.length === sums.moving.length ? "first" : "part");
    return cost;
  }

  async #sum(sums: MemberSums, moves: readonly PlannedMove[]): Promise<Float32Array> {
    const fixed = sums.fixed ?? (await this.#sumFixed(sums));
    if (sums.keepsFixed) sums.fixed = fixed;
    let cost = fixed;
    for (const { panel, move } of moves) {
      const sum = await this.#add(cost, panel, panel.follow(move, this.#memory));
      if (cost !== sums.fixed) this.#memory.returnSum(cost);
      cost = sum;
    }
    if (cost !== sums.fixed) return cost;
    const copy = this.#memory.takeSum(cost.length);
    copy.set(cost);
    return copy;
  }

  /** Computes the part of a cost that no placement changes. */
  async #sumFixed({ units, fixedOccurrences }: MemberSums): Promise<Float32Array> {
    let fixed = this.#memory.takeSum(units ** 2).fill(0);
    for (const occurrence of fixedOccurrences) {
      const panel = this.#panelOf(occurrence);
      const sum = await this.#add(fixed, panel, panel.factors(this.#memory));
      this.#memory.returnSum(fixed);
      fixed = sum;
    }
    return fixed;
  }

  /** Adds only the changes by rows that moved; the next full sum removes the accumulated rounding. */
  async #update(cost: Float32Array, moves: readonly PlannedMove[]): Promise<Float32Array> {
    let updated = cost;
    for (const { panel, move } of moves) {
      if (move.moved.length === 0) continue;
      const sum = await this.#add(updated, panel, panel.change(move, this.#memory));
      this.#memory.returnSum(updated);
      updated = sum;
    }
    return updated;
  }

  /** Computes `base` plus a product in other memory. */
  async #add(base: Float32Array, { byUnits }: Panel, { a, b, rows }: PanelFactors): Promise<Float32Array> {
    const out = this.#memory.takeSum(base.length);
    if (byUnits) await this.#products.addByRows({ a, b, depth: rows }, base, out);
    else await this.#products.add(a, b, base, out);
    return out;
  }

  #sumsOf(member: Member): MemberSums {
    const existing = this.#members.get(member);
    if (existing !== undefined) return existing;
    const occurrences = entry(this.#occurrences, member, "member").filter(({ entangled }) => !entangled);
    const fixed = occurrences.filter(isFixed);
    const rows = fixed.reduce((sum, occurrence) => sum + this.#panelOf(occurrence).rows, 0);
    const sums = new MemberSums(member, {
      fixed,
      moving: occurrences.filter((occurrence) => !isFixed(occurrence)),
      keepsFixed: rows > CHEAP_ROWS,
    });
    this.#members.set(member, sums);
    return sums;
  }

  /** Returns a panel, created when it is first needed. */
  #panelOf(occurrence: Occurrence): Panel {
    const existing = this.#panels.get(occurrence);
    if (existing !== undefined) return existing;
    const weightOf = (weights: ReadonlyMap<string, Float32Array>) =>
      entry(weights, occurrence.tensor, "weight");
    const panel = new Panel(occurrence, weightOf(this.#weights.a), weightOf(this.#weights.b));
    this.#panels.set(occurrence, panel);
    return panel;
  }
}

/** Number of rows up to which a sum that no placement changes is made again, as it costs less than memory. */
const CHEAP_ROWS = 8;

interface PlannedMove {
  readonly panel: Panel;
  readonly move: PanelMove;
}

function planMoves(panels: readonly Panel[], sources: PanelSources): PlannedMove[] {
  return panels.map((panel) => ({ panel, move: panel.plan(sources) }));
}

/**
 * Occurrences that a cost counts: some of them, all as a filter chose them, or all without a filter. The
 * second is taken again only if nothing has moved: updating it would round otherwise than a new sum.
 */
type CostKind = "part" | "first" | "whole";

/** The sums of the cost of a member, which may be dropped and made again. */
class MemberSums implements SumHolder {
  readonly units: number;
  /** Occurrences whose contribution no placement changes. */
  readonly fixedOccurrences: readonly Occurrence[];
  readonly moving: readonly Occurrence[];
  /** Whether the part that no placement changes is kept. */
  readonly keepsFixed: boolean;
  /** The part that no placement changes, `[units, units]`, if it is kept. */
  fixed: Float32Array | undefined;
  #cost: Float32Array | undefined;
  #kind: CostKind = "part";

  constructor(
    { symmetry }: Member,
    {
      fixed,
      moving,
      keepsFixed,
    }: {
      readonly fixed: readonly Occurrence[];
      readonly moving: readonly Occurrence[];
      readonly keepsFixed: boolean;
    },
  ) {
    this.units = symmetry.cells.length * symmetry.size;
    this.fixedOccurrences = fixed;
    this.moving = moving;
    this.keepsFixed = keepsFixed;
  }

  get bytes(): number {
    return (this.keepsFixed ? 2 : 1) * Float32Array.BYTES_PER_ELEMENT * this.units ** 2;
  }

  /** Checks whether the last cost may be updated by a move. */
  allows({ few, moved }: PanelMove): boolean {
    return few && (this.#kind === "whole" || (this.#kind === "first" && moved.length === 0));
  }

  /** Gives up the memory of the last cost, if it was not dropped. */
  takeCost(): Float32Array | undefined {
    const cost = this.#cost;
    this.#cost = undefined;
    return cost;
  }

  /** Keeps a cost until the next one. */
  keep(cost: Float32Array, kind: CostKind): void {
    this.#cost = cost;
    this.#kind = kind;
  }

  drop(): void {
    this.fixed = undefined;
    this.#cost = undefined;
  }
}
