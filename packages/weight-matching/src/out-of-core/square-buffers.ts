/** Two buffers for each member of a block, used again by the next block. */
export class SquareBuffers {
  readonly #pairs: [Float32Array, Float32Array][] = [];

  /** Two matrices `[units, units]` with any contents; valid until the same place is asked for again. */
  pair(place: number, units: number): readonly [Float32Array, Float32Array] {
    const length = units * units;
    const known = this.#pairs[place];
    const pair: [Float32Array, Float32Array] =
      known !== undefined && known[0].length >= length
        ? known
        : [new Float32Array(length), new Float32Array(length)];
    this.#pairs[place] = pair;
    return [pair[0].subarray(0, length), pair[1].subarray(0, length)];
  }
}
