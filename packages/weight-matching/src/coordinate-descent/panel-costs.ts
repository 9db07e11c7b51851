import { entry } from "@isthmus/core";
import type { WeightPair } from "./alignment-objective.ts";
import type { CrossProducts } from "./cross-products.ts";
import { isFixed, type MemberCosts, type PanelSources } from "./member-costs.ts";
import type { MemberOccurrences, Occurrence } from "./occurrences.ts";
import { Panel, type PanelMove } from "./panel.ts";
import { PanelMemory } from "./panel-memory.ts";
import type { Member } from "./unit-tree.ts";

/** The costs of weights that are in memory: panels and sums are kept, and only changes are added. */
export class PanelCosts implements MemberCosts {
  readonly #occurrences: MemberOccurrences;
  readonly #weights: WeightPair;
  readonly #products: CrossProducts;
  readonly #memory: PanelMemory;
  readonly #panels = new Map<Member, MemberPanels>();

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
    const panels = await this.#panelsOf(member);
    const chosen = usable === undefined ? panels.moving : panels.moving.filter(usable);
    const moves = planMoves(
      chosen.map((occurrence) => this.#panelOf(panels, occurrence)),
      sources,
    );
    if (usable !== undefined) {
      const cost = await this.#sum(panels, moves);
      panels.cost = undefined;
      return cost;
    }
    const cost =
      panels.cost === undefined || !moves.every(({ move }) => move.few)
        ? await this.#sum(panels, moves)
        : await this.#update(panels, panels.cost, moves);
    panels.cost = cost;
    return cost;
  }

  async #sum(panels: MemberPanels, moves: readonly PlannedMove[]): Promise<Float32Array> {
    let cost = panels.fixed;
    for (const { panel, move } of moves) {
      this.#memory.use(panel);
      panel.follow(move);
      cost = await this.#add(panels, cost, panel);
    }
    return cost;
  }

  /** Adds only the changes by rows that moved; the next full sum removes the accumulated rounding. */
  async #update(
    panels: MemberPanels,
    cost: Float32Array,
    moves: readonly PlannedMove[],
  ): Promise<Float32Array> {
    let updated = cost;
    for (const { panel, move } of moves) {
      this.#memory.use(panel);
      const change = panel.change(move);
      if (change.a.length > 0) updated = await this.#add(panels, updated, change);
    }
    return updated;
  }

  /** Computes `base + a^T b` in other memory, and lends out that of `base` again unless it is kept. */
  async #add(
    { fixed }: { readonly fixed: Float32Array | undefined },
    base: Float32Array,
    { a, b }: Pick<Panel, "a" | "b">,
  ): Promise<Float32Array> {
    const out = this.#memory.takeSum(base.length);
    await this.#products.add(a, b, base, out);
    if (base !== fixed) this.#memory.returnSum(base);
    return out;
  }

  async #panelsOf(member: Member): Promise<MemberPanels> {
    const existing = this.#panels.get(member);
    if (existing !== undefined) return existing;
    const units = member.symmetry.cells.length * member.symmetry.size;
    let fixed: Float32Array = new Float32Array(units * units);
    const moving: Occurrence[] = [];
    for (const occurrence of entry(this.#occurrences, member, "member")) {
      if (occurrence.entangled) continue;
      if (isFixed(occurrence))
        fixed = await this.#add({ fixed: undefined }, fixed, this.#readPanel(occurrence));
      else moving.push(occurrence);
    }
    const panels = { fixed, moving, cost: undefined, read: new Map() };
    this.#panels.set(member, panels);
    return panels;
  }

  /**
   * Returns a panel, created when it is first needed: if the first placement is exact, half of them are never
   * needed.
   */
  #panelOf({ read }: MemberPanels, occurrence: Occurrence): Panel {
    const existing = read.get(occurrence);
    if (existing !== undefined) return existing;
    const panel = this.#readPanel(occurrence);
    read.set(occurrence, panel);
    return panel;
  }

  #readPanel(occurrence: Occurrence): Panel {
    const weightOf = (weights: ReadonlyMap<string, Float32Array>) =>
      entry(weights, occurrence.tensor, "weight");
    return new Panel(occurrence, weightOf(this.#weights.a), weightOf(this.#weights.b));
  }
}

interface PlannedMove {
  readonly panel: Panel;
  readonly move: PanelMove;
}

function planMoves(panels: readonly Panel[], sources: PanelSources): PlannedMove[] {
  return panels.map((panel) => ({ panel, move: panel.plan(sources) }));
}

/** The parts of the cost of a member. */
interface MemberPanels {
  /** The part that no placement changes, `[units, units]`. */
  readonly fixed: Float32Array;
  readonly moving: readonly Occurrence[];
  /** Panels of the occurrences that were needed so far. */
  readonly read: Map<Occurrence, Panel>;
  /** The whole cost for the alignment that the panels follow; unknown when they follow different ones. */
  cost: Float32Array | undefined;
}
