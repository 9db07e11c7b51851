import { at } from "@isthmus/core";
import { countUpperBits, findMagnitude, LOWER_BITS } from "../kernels/magnitudes.ts";
import { cutEverything, cutNothing, type RankCut, type RankOrder } from "./rank-cut.ts";
import { RememberedPositions } from "./remembered-positions.ts";
import type { Span, Surveyor } from "./surveyor.ts";

/** Which elements of a tensor come before a cut. */
export interface RankAsked {
  readonly order: RankOrder;
  /** How many, as a function of the number of elements other than 0. */
  readonly count: (nonzero: number) => number;
}

/** Finds cuts of one tensor by rank. */
export interface RankSelector extends Surveyor {
  /** Returns the cuts, in the order in which they were asked for. */
  cuts(): readonly RankCut[];
}

/**
 * Finds where the first `k` elements of a tensor end in the order of their magnitudes, exactly, in passes of
 * bounded memory: the first counts the upper 16 bits of each pattern, the second the lower 15 bits of
 * patterns with the same upper bits as the cut. A third one reads a block, rarely more, where many elements
 * are equal and only some of them count.
 * @param size - number of elements of the tensor
 */
export function createRankSelector(size: number, asked: readonly RankAsked[]): RankSelector {
  const upper = new Uint32Array(2 ** (31 - LOWER_BITS));
  const odd = new Uint32Array(upper.length);
  let zeros = 0;
  let searches: CutSearch[] | undefined;
  const widest = (): Span | undefined => {
    if (searches === undefined) return { begin: 0, end: size };
    const spans = searches.flatMap(({ span }) => span ?? []);
    if (spans.length === 0) return undefined;
    return {
      begin: Math.min(...spans.map(({ begin }) => begin)),
      end: Math.max(...spans.map(({ end }) => end)),
    };
  };
  return {
    get span() {
      return widest();
    },
    see(patterns, begin) {
      if (searches === undefined) zeros += countUpperBits(patterns, upper, odd);
      else for (const search of searches) if (search.span !== undefined) search.see(patterns, begin);
    },
    endPass() {
      if (searches !== undefined) {
        for (const search of searches) if (search.span !== undefined) search.endPass();
        return;
      }
      for (let bin = 0; bin < upper.length; bin++) upper[bin] = at(upper, bin) + at(odd, bin);
      searches = asked.map(({ order, count }) => new CutSearch(size, order, count(size - zeros), upper));
    },
    cuts: () => (searches ?? []).map(({ cut }) => cut),
  };
}

/** The search for one cut, from the second pass on. */
class CutSearch {
  span: Span | undefined;
  cut: RankCut;
  readonly #size: number;
  readonly #order: RankOrder;
  readonly #upper: number = 0;
  /** Elements that count among those with the cut's upper bits; after the pass, among the equal ones. */
  #rest: number = 0;
  readonly #lower = new Uint32Array(1 << LOWER_BITS);
  readonly #remembered = new RememberedPositions();
  #magnitude: number | undefined;

  constructor(size: number, order: RankOrder, count: number, upper: Uint32Array) {
    this.#size = size;
    this.#order = order;
    this.cut = count <= 0 ? cutNothing(order) : cutEverything(order);
    if (count <= 0 || count >= size) return;
    [this.#upper, this.#rest] = findBin(upper, count, order);
    this.span = { begin: 0, end: size };
  }

  see(patterns: Int32Array, begin: number): void {
    if (this.#magnitude !== undefined) this.#findPosition(patterns, begin, this.#magnitude);
    else this.#remembered.see(patterns, begin, this.#upper, this.#lower);
  }

  endPass(): void {
    if (this.#magnitude !== undefined) return;
    const [low, rest] = findBin(this.#lower, this.#rest, this.#order);
    const magnitude = this.#upper * 2 ** LOWER_BITS + low;
    this.span = undefined;
    this.cut = { magnitude, position: this.#size };
    // Which of the equal elements count matters to no one if all do, or if they are 0.
    if (magnitude === 0 || rest === at(this.#lower, low, "count")) return;
    const place = this.#remembered.find(low, rest);
    if (typeof place === "number") {
      this.cut = { magnitude, position: place };
      return;
    }
    this.#magnitude = magnitude;
    this.#rest = rest - place.before;
    this.span = { begin: place.begin, end: this.#size };
  }

  #findPosition(patterns: Int32Array, begin: number, magnitude: number): void {
    if (this.span === undefined || begin + patterns.length <= this.span.begin) return;
    const from = Math.max(0, this.span.begin - begin);
    const index = findMagnitude(patterns, magnitude, from, this.#rest);
    if (index < 0) {
      this.#rest += index + 1;
      return;
    }
    this.cut = { magnitude, position: begin + index };
    this.span = undefined;
  }
}

/** Finds the bin in which the `count`-th element is, and how many of its elements count. */
function findBin(counts: Uint32Array, count: number, order: RankOrder): [number, number] {
  let before = 0;
  for (let k = 0; k < counts.length; k++) {
    const bin = order === "largest" ? counts.length - 1 - k : k;
    const inBin = at(counts, bin, "bin");
    if (before + inBin >= count) return [bin, count - before];
    before += inBin;
  }
  throw new RangeError(`Cannot find element ${count} as there must be as many: there are ${before}`);
}
