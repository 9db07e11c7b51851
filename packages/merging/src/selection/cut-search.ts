import { at } from "@isthmus/core";
import { findMagnitude, LOWER_BITS, type Measured, sumOfCounts } from "../kernels/magnitudes.ts";
import { cutEverything, cutNothing, type RankCut, type RankOrder } from "./rank-cut.ts";
import { RememberedPositions } from "./remembered-positions.ts";
import type { Span } from "./surveyor.ts";
import { findBin, type UpperBits } from "./upper-bits.ts";

/** Inputs of a {@link CutSearch}. */
export interface SoughtCut {
  /** Elements that come before the cut: the largest or the smallest. */
  readonly order: RankOrder;
  /** Number of elements before the cut. */
  readonly count: number;
  /** Upper bits of all elements, or of a sample. */
  readonly bits: UpperBits;
  /** Whether `bits` are of a sample, so that the cut may be missed. */
  readonly isSample: boolean;
}

/** Search for one cut, after upper bits were counted. */
export class CutSearch {
  span: Span | undefined;
  cut: RankCut;
  /** Whether the cut is outside the bins that a sample suggested. */
  isMissed = false;
  readonly #size: number;
  readonly #order: RankOrder;
  readonly #count: number;
  /** Smallest magnitude of the neighbouring bins in which the cut may be. */
  readonly #least: number = 0;
  readonly #remembered: RememberedPositions | undefined;
  /** Number of elements that are smaller than the elements of the bins. */
  #below = 0;
  /** Number of elements equal to the cut that are before it and not yet found. */
  #rest = 0;
  #magnitude: number | undefined;

  constructor(size: number, { order, count, bits, isSample }: SoughtCut) {
    this.#size = size;
    this.#order = order;
    this.#count = count;
    this.cut = count <= 0 ? cutNothing(order) : cutEverything(order);
    if (count <= 0 || count >= size) return;
    const counts = bits.counts();
    const seen = sumOfCounts(counts);
    const place = isSample ? Math.max(1, Math.min(seen, Math.round((count * seen) / size))) : count;
    const [upper] = findBin(counts, place, order);
    const around = isSample ? 1 : 0;
    const [first, last] = [Math.max(0, upper - around), Math.min(counts.length - 1, upper + around)];
    this.#least = first * 2 ** LOWER_BITS;
    this.#remembered = new RememberedPositions({
      least: this.#least,
      span: (last + 1 - first) * 2 ** LOWER_BITS,
    });
    this.span = { begin: 0, end: size };
  }

  see(measured: Measured, begin: number): void {
    if (this.#magnitude !== undefined) this.#findPosition(measured, begin, this.#magnitude);
    else if (this.#remembered !== undefined) this.#below += this.#remembered.see(measured, begin);
  }

  endPass(): void {
    if (this.#magnitude !== undefined || this.#remembered === undefined) return;
    this.span = undefined;
    const { counts } = this.#remembered;
    const inBins = sumOfCounts(counts);
    const before = this.#order === "smallest" ? this.#below : this.#size - this.#below - inBins;
    const rest = this.#count - before;
    if (rest > 0 && rest <= inBins) this.#searchIn(this.#remembered, rest);
    else this.isMissed = true;
  }

  #searchIn(remembered: RememberedPositions, count: number): void {
    const [distance, rest] = findBin(remembered.counts, count, this.#order);
    const magnitude = this.#least + distance;
    this.cut = { magnitude, position: this.#size };
    // It need not be decided which of the equal elements count if all do, or if they are 0.
    if (magnitude === 0 || rest === at(remembered.counts, distance, "count")) return;
    const place = remembered.find(distance, rest);
    if (typeof place === "number") {
      this.cut = { magnitude, position: place };
      return;
    }
    this.#magnitude = magnitude;
    this.#rest = rest - place.before;
    this.span = { begin: place.begin, end: this.#size };
  }

  #findPosition(measured: Measured, begin: number, magnitude: number): void {
    if (this.span === undefined || begin + measured.length <= this.span.begin) return;
    const from = Math.max(0, this.span.begin - begin);
    const index = findMagnitude(measured.patterns(), magnitude, from, this.#rest);
    if (index < 0) {
      this.#rest += index + 1;
      return;
    }
    this.cut = { magnitude, position: begin + index };
    this.span = undefined;
  }
}
