import { at, entry } from "@isthmus/core";
import { mapComponent } from "@isthmus/symmetry/layout";
import type { CrossProducts } from "../coordinate-descent/cross-products.ts";
import { isFixed, type MemberCosts, type PanelSources } from "../coordinate-descent/member-costs.ts";
import { columnOffsets, type MemberOccurrences, type Occurrence } from "../coordinate-descent/occurrences.ts";
import type { Member } from "../coordinate-descent/unit-tree.ts";
import { type WeightPart, weightParts } from "../coordinate-descent/weight-parts.ts";
import type { Stopwatch } from "../search/matching-seconds.ts";
import { addBlock } from "./kernels/add-block.ts";
import type { SquareBuffers } from "./square-buffers.ts";
import type { TileTables, WeightTiles } from "./weight-tiles.ts";

/** Tools for reading weights and computing costs, shared by all blocks. */
export interface StreamTools {
  /** Reader of parts of A's weights. */
  readonly a: WeightTiles;
  /** Reader of parts of B's weights. */
  readonly b: WeightTiles;
  /** Port that computes products of tiles. */
  readonly products: CrossProducts;
  /** Memory for the costs of each member, reused from block to block. */
  readonly buffers: SquareBuffers;
  /** Elements of each network to hold at once, unless one row has more. */
  readonly tileElements: number;
  /** Stopwatch that reading is measured with. */
  readonly stopwatch: Stopwatch;
  /** Signal that stops the reading; undefined if it is never stopped. */
  readonly signal: AbortSignal | undefined;
}

/**
 * Costs of weights that are read when they are needed, tile by tile, and forgotten.
 *
 * A weight whose first axis is not the one that moves is read in slabs along it: each adds `A^T B`. One whose
 * first axis moves is read in blocks of its units, with all of their elements, `A B^T`; if these do not fit
 * the memory, block by block of the cost.
 */
export class StreamedCosts implements MemberCosts {
  readonly #occurrences: MemberOccurrences;
  readonly #tools: StreamTools;
  readonly #members: readonly Member[];

  constructor(occurrences: MemberOccurrences, tools: StreamTools) {
    this.#occurrences = occurrences;
    this.#tools = tools;
    this.#members = [...occurrences.keys()];
  }

  async costOf(
    member: Member,
    sources: PanelSources,
    usable: (occurrence: Occurrence) => boolean = () => true,
  ): Promise<Float32Array> {
    const units = member.symmetry.cells.length * member.symmetry.size;
    const { sum, spare: scratch } = this.#tools.buffers.pair(this.#members.indexOf(member), units);
    let [cost, spare]: Pair = [sum.fill(0), scratch];
    for (const occurrence of entry(this.#occurrences, member, "member")) {
      if (occurrence.entangled || !(isFixed(occurrence) || usable(occurrence))) continue;
      for (let slot = 0; slot < occurrence.slots; slot++) {
        const tables = occurrenceTables(occurrence, sources, slot);
        const add = tables.leadMoves ? this.#addUnits : this.#addSlabs;
        [cost, spare] = await add.call(this, occurrence, tables, [cost, spare]);
      }
    }
    if (cost !== sum) sum.set(cost);
    return sum;
  }

  /** Adds one slot of an occurrence whose first axis does not move, in slabs along that axis. */
  async #addSlabs(occurrence: Occurrence, { a, b }: OccurrenceTables, buffers: Pair): Promise<Pair> {
    const perLead = a.rest.reduce((product, table) => product * table.length, 1);
    const step = Math.max(1, Math.floor(this.#tools.tileElements / perLead));
    let [cost, spare] = buffers;
    for (let from = 0; from < a.lead.length; from += step) {
      const slab = (tables: TileTables) => ({ ...tables, lead: tables.lead.subarray(from, from + step) });
      const [left, right] = await this.#read(occurrence, slab(a), slab(b));
      const [base, out] = [cost, spare];
      await this.#tools.products.add(left, right, base, out);
      [cost, spare] = [out, base];
    }
    return [cost, spare];
  }

  /** Adds one slot of an occurrence whose first axis moves. */
  async #addUnits(occurrence: Occurrence, { a, b }: OccurrenceTables, buffers: Pair): Promise<Pair> {
    const { tileElements, products } = this.#tools;
    const depth = a.rest.reduce((product, table) => product * table.length, 1);
    const units = a.lead.length;
    if (units * depth <= tileElements) {
      const [left, right] = await this.#read(occurrence, a, b);
      const [cost, spare] = buffers;
      await products.addByRows({ a: left, b: right, depth }, cost, spare);
      return [spare, cost];
    }
    const step = Math.max(1, Math.floor(tileElements / depth));
    const tiled = (tables: TileTables, from: number) => ({
      ...tables,
      lead: tables.lead.subarray(from, from + step),
    });
    for (let i = 0; i < units; i += step) {
      const left = await this.#readOne("a", occurrence, tiled(a, i));
      for (let j = 0; j < units; j += step) {
        const right = await this.#readOne("b", occurrence, tiled(b, j));
        const base = new Float32Array((left.length / depth) * (right.length / depth));
        const out = new Float32Array(base.length);
        await products.addByRows({ a: left, b: right, depth }, base, out);
        addBlock(buffers[0], out, i, j, right.length / depth);
      }
    }
    return buffers;
  }

  #read(occurrence: Occurrence, a: TileTables, b: TileTables): Promise<[Float32Array, Float32Array]> {
    const { tensor, layout } = occurrence;
    const tools = this.#tools;
    tools.signal?.throwIfAborted();
    return tools.stopwatch.time("reading", () =>
      Promise.all([tools.a.read(tensor, layout, a, true), tools.b.read(tensor, layout, b, true)]),
    );
  }

  #readOne(network: "a" | "b", { tensor, layout }: Occurrence, tables: TileTables): Promise<Float32Array> {
    const tools = this.#tools;
    tools.signal?.throwIfAborted();
    return tools.stopwatch.time("reading", () => tools[network].read(tensor, layout, tables, true));
  }
}

type Pair = readonly [Float32Array, Float32Array];

/** Tables by which one slot of an occurrence is read from both networks, so that elements correspond. */
interface OccurrenceTables {
  readonly a: TileTables;
  readonly b: TileTables;
  /** Whether `lead` runs over the units; else the last table does. */
  readonly leadMoves: boolean;
}

/**
 * Creates the tables for one slot of an occurrence, B permuted on the other axes and, by other blocks, on
 * this one.
 */
function occurrenceTables(
  occurrence: Occurrence,
  { current, frame }: PanelSources,
  slot: number,
): OccurrenceTables {
  const { layout, components } = occurrence;
  const still = weightParts(layout, components, undefined);
  const moved = weightParts(layout, components, current);
  const component = at(components, occurrence.moving, "component");
  const isMoving = (part: WeightPart) => part.component === component;
  const { offsets } = at(still, still.findIndex(isMoving), "part");
  const map = mapComponent(component, frame);
  const columns = (from: Int32Array | undefined) => columnOffsets(occurrence, slot, offsets, from);
  // Parts are ordered by their first axis, so the first part holds the first axis.
  const leadMoves = isMoving(at(still, 0, "part"));
  const others = (parts: readonly WeightPart[]) =>
    parts.filter((part) => !isMoving(part)).map((part) => part.offsets);
  const tables = (parts: readonly WeightPart[], from: Int32Array | undefined): TileTables => {
    if (leadMoves) return { lead: columns(from), rest: others(parts) };
    const [lead = Int32Array.of(0), ...rest] = others(parts);
    return { lead, rest: [...rest, columns(from)] };
  };
  return { a: tables(still, undefined), b: tables(moved, map), leadMoves };
}
