import { at } from "@isthmus/core";
import { countBelow, findMagnitude, LOWER_BITS } from "../kernels/magnitudes.ts";
import { cutEverything, cutNothing, type RankCut, type RankOrder } from "./rank-cut.ts";
import { RememberedPositions } from "./remembered-positions.ts";
import type { Span } from "./surveyor.ts";
import { findBin, type UpperBits } from "./upper-bits.ts";

/** Where a cut is looked for. */
export interface SoughtCut {
  readonly order: RankOrder;
  /** Elements before the cut. */
  readonly count: number;
  /** Upper bits of all elements, or of a sample. */
  readonly bits: UpperBits;
  readonly isSample: boolean;
}

/** Elements with the same upper bits, and how often each of the lower ones occurs. */
interface Bin {
  readonly upper: number;
  readonly lower: Uint32Array;
  readonly remembered: RememberedPositions;
}

/** The search for one cut, once upper bits were counted. */
export class CutSearch {
  span: Span | undefined;
  cut: RankCut;
  /** Whether the cut is in none of the bins that a sample pointed to. */
  isMissed = false;
  readonly #size: number;
  readonly #order: RankOrder;
  readonly #count: number;
  /** Bins in which the cut may be, in the order of the cut; neighbours. */
  readonly #bins: readonly Bin[] = [];
  readonly #countsBefore: boolean;
  /** Elements that come before the first bin. */
  #before = 0;
  /** Elements that count among the ones equal to the cut. */
  #rest = 0;
  #magnitude: number | undefined;

  constructor(size: number, { order, count, bits, isSample }: SoughtCut) {
    this.#size = size;
    this.#order = order;
    this.#count = count;
    this.#countsBefore = isSample;
    this.cut = count <= 0 ? cutNothing(order) : cutEverything(order);
    if (count <= 0 || count >= size) return;
    const counts = bits.counts();
    const seen = counts.reduce((sum, inBin) => sum + inBin, 0);
    const place = isSample ? Math.max(1, Math.min(seen, Math.round((count * seen) / size))) : count;
    const [upper, rest] = findBin(counts, place, order);
    const next = order === "largest" ? -1 : 1;
    const uppers = isSample ? [upper - next, upper, upper + next] : [upper];
    this.#bins = uppers.filter((bin) => bin >= 0 && bin < counts.length).map((bin) => createBin(bin));
    if (!isSample) this.#before = count - rest;
    this.span = { begin: 0, end: size };
  }

  see(patterns: Int32Array, begin: number): void {
    if (this.#magnitude !== undefined) {
      this.#findPosition(patterns, begin, this.#magnitude);
      return;
    }
    if (this.#countsBefore) this.#before += this.#countBeforeBins(patterns);
    for (const { upper, lower, remembered } of this.#bins) remembered.see(patterns, begin, upper, lower);
  }

  endPass(): void {
    if (this.#magnitude !== undefined) return;
    this.span = undefined;
    let rest = this.#count - this.#before;
    for (const bin of this.#bins) {
      const inBin = bin.lower.reduce((sum, count) => sum + count, 0);
      if (rest > 0 && rest <= inBin) {
        this.#searchIn(bin, rest);
        return;
      }
      rest -= inBin;
    }
    this.isMissed = true;
  }

  #countBeforeBins(patterns: Int32Array): number {
    const first = at(this.#bins, 0, "bin").upper;
    if (this.#order === "smallest") return countBelow(patterns, first * 2 ** LOWER_BITS);
    const end = (first + 1) * 2 ** LOWER_BITS;
    return end > 0x7fffffff ? 0 : patterns.length - countBelow(patterns, end);
  }

  #searchIn({ upper, lower, remembered }: Bin, count: number): void {
    const [low, rest] = findBin(lower, count, this.#order);
    const magnitude = upper * 2 ** LOWER_BITS + low;
    this.cut = { magnitude, position: this.#size };
    // Which of the equal elements count matters to no one if all do, or if they are 0.
    if (magnitude === 0 || rest === at(lower, low, "count")) return;
    const place = remembered.find(low, rest);
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

function createBin(upper: number): Bin {
  return { upper, lower: new Uint32Array(1 << LOWER_BITS), remembered: new RememberedPositions() };
}
