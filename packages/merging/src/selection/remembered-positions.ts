import { at } from "@isthmus/core";
import { allocatePatterns } from "../kernels/block-memory.ts";
import { countLowerBits, listUpperBits, noteListed } from "../kernels/magnitudes.ts";

/** Elements of the cut's upper bits whose positions are remembered at most. */
const REMEMBERED = 1 << 18;

/** A place before which some of the elements that are looked for are known to be. */
export interface PlaceBefore {
  readonly begin: number;
  readonly before: number;
}

/**
 * Positions of elements with the cut's upper bits. Where there are too many, it notes how often the most
 * frequent of their lower bits occurs up to each block: it is most likely the one that is asked for.
 */
export class RememberedPositions {
  #positions = new Float64Array(1 << 12);
  #lows = new Uint16Array(1 << 12);
  #count = 0;
  #frequent = -1;
  /** Blocks after the remembered ones: where each begins, and how often `#frequent` occurs before it. */
  readonly #blocks: PlaceBefore[] = [];

  see(patterns: Int32Array, begin: number, upper: number, lower: Uint32Array): void {
    if (this.#frequent < 0 && this.#count + patterns.length > REMEMBERED) this.#frequent = largestOf(lower);
    if (this.#frequent >= 0) this.#blocks.push({ begin, before: at(lower, this.#frequent, "count") });
    const { buffer, byteOffset } = allocatePatterns(patterns.length);
    const indices = new Int32Array(buffer, byteOffset, patterns.length);
    const listed = listUpperBits(patterns, upper, indices);
    countLowerBits(patterns, indices, listed, lower);
    if (this.#frequent >= 0) return;
    this.#reserve(this.#count + listed);
    const [from, until] = [this.#count, this.#count + listed];
    const places = this.#positions.subarray(from, until);
    noteListed({ patterns, begin }, indices, places, this.#lows.subarray(from, until));
    this.#count = until;
  }

  /** Finds the `count`-th element of the given lower bits, or a block from which it must be looked for. */
  find(low: number, count: number): number | PlaceBefore {
    let seen = 0;
    for (let k = 0; k < this.#count; k++) {
      if (this.#lows[k] === low) seen++;
      if (seen === count) return at(this.#positions, k, "position");
    }
    const [first] = this.#blocks;
    const block = low === this.#frequent ? this.#blocks.findLast(({ before }) => before < count) : undefined;
    return block ?? { begin: first?.begin ?? 0, before: seen };
  }

  #reserve(count: number): void {
    if (count <= this.#positions.length) return;
    const length = 2 ** Math.ceil(Math.log2(count));
    const positions = new Float64Array(length);
    positions.set(this.#positions);
    this.#positions = positions;
    const lows = new Uint16Array(length);
    lows.set(this.#lows);
    this.#lows = lows;
  }
}

function largestOf(counts: Uint32Array): number {
  let largest = 0;
  for (let k = 1; k < counts.length; k++) if (at(counts, k) > at(counts, largest)) largest = k;
  return largest;
}
