import { singletons } from "../kernels/disjoint-sets.ts";

/**
 * A factor that a place of a tensor is multiplied by: 0 for none, `2 v + 2` for variable `v`, and `2 v + 3`
 * for its inverse. A factor is a single number so that factors move like labels.
 */
export type Factor = number;

/** The factor that never changes anything. */
export const ONE: Factor = 0;

/** Returns the factor of a variable. */
export function factorOf(variable: number): Factor {
  return 2 * variable + 2;
}

/** Returns the variable of a factor; -1 for {@link ONE}. */
export function variableOf(factor: Factor): number {
  return (factor >> 1) - 1;
}

/** Checks whether a factor is the inverse of a variable. */
export function isInverse(factor: Factor): boolean {
  return (factor & 1) === 1;
}

/** Sets of variables that must be equal, or each other's inverse, or 1. */
export class SignedSets {
  /** Parents by variable + 1; element 0 is the constant 1. */
  readonly #parent: Int32Array;
  /** Whether a variable is the inverse of its parent: 1 if it is, else 0. */
  readonly #flip: Uint8Array;
  readonly #involutive: boolean;

  /** @param involutive - whether every element is its own inverse, as signs are */
  constructor(variables: number, involutive: boolean) {
    this.#parent = singletons(variables + 1);
    this.#flip = new Uint8Array(variables + 1);
    this.#involutive = involutive;
  }

  /** Returns the inverse of a factor. */
  invert(factor: Factor): Factor {
    return factor <= 1 || this.#involutive ? factor : factor ^ 1;
  }

  /** Returns the factor that represents all factors that must be equal to a given one. */
  find(factor: Factor): Factor {
    const start = factor >> 1;
    let at = start;
    let flip = 0;
    while (this.#parent[at] !== at) {
      flip ^= this.#flip[at] as number;
      at = this.#parent[at] as number;
    }
    if (at !== start) {
      this.#parent[start] = at;
      this.#flip[start] = flip;
    }
    return at === 0 ? ONE : 2 * at + (this.#involutive ? 0 : flip ^ (factor & 1));
  }

  /** Demands that two factors are equal. */
  unite(a: Factor, b: Factor): void {
    const [one, two] = [this.find(a), this.find(b)];
    if (one === two) return;
    const [low, high] = one < two ? [one, two] : [two, one];
    // A scale that equals its inverse is 1, as scales are positive.
    const target = low >> 1 === high >> 1 ? 0 : low >> 1;
    this.#parent[high >> 1] = target;
    this.#flip[high >> 1] = target === 0 ? 0 : (low ^ high) & 1;
  }
}
