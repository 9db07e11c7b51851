import { singletons } from "../../kernels/disjoint-sets.ts";

/**
 * The element that represents a set, and the number of quarter turns by which another element differs from
 * it.
 */
export interface Phased {
  /** Element that represents the set: the smallest one. */
  readonly root: number;
  /** Quarter turns in `[0, 3]`: the element is `i^phase` times the root. */
  readonly phase: number;
}

/** Sets of complex numbers, each of which is a power of `i` times every other number of its set. */
export class PhasedSets {
  readonly #parent: Int32Array;
  /** Quarter turns of each element from its parent. */
  readonly #phase: Uint8Array;

  constructor(elements: number) {
    this.#parent = singletons(elements);
    this.#phase = new Uint8Array(elements);
  }

  /** Returns the smallest element of a set, and the quarter turns from it. */
  find(element: number): Phased {
    let root = element;
    let phase = 0;
    while (this.#parent[root] !== root) {
      phase += this.#phase[root] as number;
      root = this.#parent[root] as number;
    }
    if (root !== element) {
      this.#parent[element] = root;
      this.#phase[element] = phase & 3;
    }
    return { root, phase: phase & 3 };
  }

  /**
   * Demands that `b` is `i^turns` times `a`.
   * @returns whether this agrees with earlier demands
   */
  unite(a: number, b: number, turns: number): boolean {
    const [one, two] = [this.find(a), this.find(b)];
    // The root of b is i^(turns + phase of a - phase of b) times the root of a.
    const between = (turns + one.phase - two.phase) & 3;
    if (one.root === two.root) return between === 0;
    const [low, high] = one.root < two.root ? [one.root, two.root] : [two.root, one.root];
    this.#parent[high] = low;
    this.#phase[high] = (low === one.root ? between : -between) & 3;
    return true;
  }
}
