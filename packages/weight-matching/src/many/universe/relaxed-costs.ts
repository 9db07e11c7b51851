import { entry } from "@isthmus/core";
import type { CrossProducts } from "../../coordinate-descent/cross-products.ts";
import type { MemberCosts, PanelSources } from "../../coordinate-descent/member-costs.ts";
import type { MemberOccurrences, Occurrence } from "../../coordinate-descent/occurrences.ts";
import type { Member } from "../../coordinate-descent/unit-tree.ts";
import { type PanelTables, readPanel } from "./parted-weight.ts";
import type { RelaxedWeight } from "./relaxed-weight.ts";

/** The weights that the costs of one network are computed from, by name. */
export interface RelaxedPair {
  /** The sum of the other networks, part by part. */
  readonly others: ReadonlyMap<string, Float32Array>;
  readonly weights: ReadonlyMap<string, RelaxedWeight>;
}

/**
 * The costs of one network's units in the universe: the slope of the objective by its relaxed permutations
 * while the other networks stay.
 */
export class RelaxedCosts implements MemberCosts {
  readonly #occurrences: MemberOccurrences;
  readonly #products: CrossProducts;
  readonly #tables: ReadonlyMap<Occurrence, PanelTables>;
  readonly #pair: RelaxedPair;

  constructor(
    occurrences: MemberOccurrences,
    pair: RelaxedPair,
    {
      products,
      tables,
    }: { readonly products: CrossProducts; readonly tables: ReadonlyMap<Occurrence, PanelTables> },
  ) {
    this.#occurrences = occurrences;
    this.#pair = pair;
    this.#products = products;
    this.#tables = tables;
  }

  async costOf(
    member: Member,
    _: PanelSources,
    usable?: (occurrence: Occurrence) => boolean,
  ): Promise<Float32Array> {
    const units = member.symmetry.cells.length * member.symmetry.size;
    let cost = new Float32Array(units * units);
    let out = new Float32Array(units * units);
    for (const occurrence of entry(this.#occurrences, member, "member")) {
      const tables = this.#tables.get(occurrence);
      if (tables === undefined || usable?.(occurrence) === false) continue;
      await this.#add(occurrence, tables, { base: cost, out });
      [cost, out] = [out, cost];
    }
    return cost;
  }

  async #add(
    { tensor, moving }: Occurrence,
    tables: PanelTables,
    { base, out }: { readonly base: Float32Array; readonly out: Float32Array },
  ): Promise<void> {
    const a = entry(this.#pair.others, tensor, "weight");
    const b = entry(this.#pair.weights, tensor, "weight").besides(moving);
    if (tables.kind === "columns") return this.#products.add(a, b, base, out);
    if (tables.kind === "rows") {
      return this.#products.addByRows({ a, b, depth: tables.rest.length }, base, out);
    }
    return this.#products.add(readPanel(a, tables), readPanel(b, tables), base, out);
  }
}
