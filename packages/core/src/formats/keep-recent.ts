/** Keeps values that were used last, up to a number of bytes; the latest one is kept in any case. */
export class KeepRecent<T> {
  readonly #most: number;
  readonly #kept: Map<string, { readonly value: Promise<T>; readonly bytes: number }> = new Map();
  #bytes = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /**
   * Returns the value of a name, which is made if it is not kept.
   * @param bytes - memory that the value takes
   */
  get(name: string, bytes: number, make: () => Promise<T>): Promise<T> {
    const earlier = this.#kept.get(name);
    if (earlier !== undefined) {
      // The map is in the order of use.
      this.#kept.delete(name);
      this.#kept.set(name, earlier);
      return earlier.value;
    }
    this.#bytes += bytes;
    for (const [old, { bytes: size }] of this.#kept) {
      if (this.#bytes <= this.#most) break;
      this.#kept.delete(old);
      this.#bytes -= size;
    }
    const value = make();
    this.#kept.set(name, { value, bytes });
    return value;
  }
}
