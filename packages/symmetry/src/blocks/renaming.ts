/**
 * A one-to-one correspondence of the numbers or names of two blocks that grows as the blocks are walked side
 * by side.
 */
export class Renaming<T> {
  readonly #forward = new Map<T, T>();
  readonly #backward = new Map<T, T>();

  /** Lets `a` correspond to `b`; returns whether neither corresponds to something else already. */
  match(a: T, b: T): boolean {
    const earlier = this.#forward.get(a);
    if (earlier !== undefined || this.#backward.has(b)) return earlier === b;
    this.#forward.set(a, b);
    this.#backward.set(b, a);
    return true;
  }

  /** Returns what `a` corresponds to; undefined if it was never matched. */
  get(a: T): T | undefined {
    return this.#forward.get(a);
  }

  /** Checks whether everything that was matched corresponds to itself. */
  isIdentity(): boolean {
    return [...this.#forward].every(([a, b]) => a === b);
  }
}
