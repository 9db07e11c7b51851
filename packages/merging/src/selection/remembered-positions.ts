import { at } from "@isthmus/core";
import { allocateIndices } from "../kernels/block-memory.ts";
import {
  addBegin,
  countAt,
  findOccurrence,
  largestCount,
  listMagnitudes,
  type MagnitudeWindow,
  type Measured,
} from "../kernels/magnitudes.ts";

/** Most elements in the window whose positions are remembered. */
const REMEMBERED = 1 << 18;

/** A position with the number of sought elements before it. */
export interface PlaceBefore {
  /** Position of the first element of a block. */
  readonly begin: number;
  /** Number of sought elements before this position. */
  readonly before: number;
}

/**
 * Remembers how often each magnitude in a window occurs, and the positions of the elements. If there are too
 * many elements, it remembers instead how often the most frequent magnitude occurs before each block, because
 * that is most likely the sought magnitude.
 */
export class RememberedPositions {
  /** Number of elements with each magnitude of the window, by the distance from the least magnitude. */
  readonly counts: Uint32Array;
  readonly #window: MagnitudeWindow;
  #positions = new Float64Array(1 << 12);
  #distances = new Int32Array(1 << 12);
  #count = 0;
  #frequent = -1;
  /**
   * Blocks after the remembered positions: begin of each block, and number of times that `#frequent` occurs
   * before it.
   */
  readonly #blocks: PlaceBefore[] = [];

  constructor(window: MagnitudeWindow) {
    this.#window = window;
    this.counts = new Uint32Array(window.span);
  }

  /** Examines a block; returns the number of its magnitudes below the window. */
  see(measured: Measured, begin: number): number {
    const { counts } = this;
    const { length } = measured;
    if (this.#frequent < 0 && this.#count + length > REMEMBERED) this.#frequent = largestCount(counts);
    if (this.#frequent >= 0) this.#blocks.push({ begin, before: at(counts, this.#frequent, "count") });
    const [indices, excesses] = [allocateIndices(length), allocateIndices(length)];
    const [listed, below] = listMagnitudes(measured, this.#window, { indices, excesses });
    const distances = excesses.subarray(0, listed);
    countAt(distances, counts);
    if (this.#frequent >= 0) return below;
    const [from, until] = [this.#count, this.#count + listed];
    this.#reserve(until);
    addBegin(indices, begin, this.#positions.subarray(from, until));
    this.#distances.set(distances, from);
    this.#count = until;
    return below;
  }

  /**
   * Finds the position of the `count`-th element at a distance from the least magnitude, or else a block from
   * which to search it.
   */
  find(distance: number, count: number): number | PlaceBefore {
    const place = findOccurrence(this.#distances.subarray(0, this.#count), distance, count);
    if (place >= 0) return at(this.#positions, place, "position");
    const [first] = this.#blocks;
    const block =
      distance === this.#frequent ? this.#blocks.findLast(({ before }) => before < count) : undefined;
    return block ?? { begin: first?.begin ?? 0, before: -place - 1 };
  }

  #reserve(count: number): void {
    if (count <= this.#positions.length) return;
    const length = 2 ** Math.ceil(Math.log2(count));
    const positions = new Float64Array(length);
    positions.set(this.#positions);
    this.#positions = positions;
    const distances = new Int32Array(length);
    distances.set(this.#distances);
    this.#distances = distances;
  }
}
