/** Places of units in a tensor: unit `i` lies at `bases[i] + offsets[j]` for every `j`. */
interface UnitPlaces {
  /** Offset of each unit. */
  readonly bases: Int32Array;
  /** Offsets of all elements of a unit. */
  readonly offsets: Int32Array;
}

/**
 * Multiplies vectors of units by a factor along one direction, in place: each vector `x` becomes
 * `x + (factor - 1) (v·x) v`, which takes two passes over the tensor.
 *
 * @param direction - the vector `v`, of length 1
 */
export function stretchAlongInPlace(
  values: Float32Array | Float64Array,
  { bases, offsets }: UnitPlaces,
  direction: Float64Array,
  factor: number,
): void {
  if (isNearer(bases, offsets)) {
    let j = 0;
    for (; j + 1 < offsets.length; j += 2) {
      stretchTwoInPlace(values, [offsets[j]!, offsets[j + 1]!], { bases, direction, factor });
    }
    for (; j < offsets.length; j++) {
      const from = offsets[j]!;
      const along = (factor - 1) * productAlong(values, from, bases, direction);
      for (let i = 0; i < bases.length; i++) {
        const place = from + bases[i]!;
        values[place] = values[place]! + along * direction[i]!;
      }
    }
    return;
  }
  const along = new Float64Array(offsets.length);
  for (let i = 0; i < bases.length; i++) {
    const [from, weight] = [bases[i]!, direction[i]!];
    for (let j = 0; j < offsets.length; j++) along[j] = along[j]! + weight * values[from + offsets[j]!]!;
  }
  for (let i = 0; i < bases.length; i++) {
    const [from, weight] = [bases[i]!, (factor - 1) * direction[i]!];
    for (let j = 0; j < offsets.length; j++) {
      const place = from + offsets[j]!;
      values[place] = values[place]! + weight * along[j]!;
    }
  }
}

/** A direction that vectors are stretched along, and the offset of each unit. */
interface Stretch {
  readonly bases: Int32Array;
  readonly direction: Float64Array;
  readonly factor: number;
}

/** Stretches two vectors, each as if it were alone: they share the reads of the direction. */
function stretchTwoInPlace(
  values: Float32Array | Float64Array,
  [one, two]: readonly [number, number],
  { bases, direction, factor }: Stretch,
): void {
  let [evenOne, oddOne, evenTwo, oddTwo, i] = [0, 0, 0, 0, 0];
  for (; i + 1 < bases.length; i += 2) {
    const base = bases[i]!;
    const next = bases[i + 1]!;
    evenOne += direction[i]! * values[one + base]!;
    oddOne += direction[i + 1]! * values[one + next]!;
    evenTwo += direction[i]! * values[two + base]!;
    oddTwo += direction[i + 1]! * values[two + next]!;
  }
  let [sumOne, sumTwo] = [evenOne + oddOne, evenTwo + oddTwo];
  if (i < bases.length) {
    sumOne += direction[i]! * values[one + bases[i]!]!;
    sumTwo += direction[i]! * values[two + bases[i]!]!;
  }
  const alongOne = (factor - 1) * sumOne;
  const alongTwo = (factor - 1) * sumTwo;
  for (let k = 0; k < bases.length; k++) {
    const base = bases[k]!;
    const weight = direction[k]!;
    values[one + base] = values[one + base]! + alongOne * weight;
    values[two + base] = values[two + base]! + alongTwo * weight;
  }
}

/** Sums the products of a direction and a vector in two sums, as an addition waits for the one before it. */
function productAlong(
  values: Float32Array | Float64Array,
  from: number,
  bases: Int32Array,
  direction: Float64Array,
): number {
  let [even, odd, i] = [0, 0, 0];
  for (; i + 1 < bases.length; i += 2) {
    even += direction[i]! * values[from + bases[i]!]!;
    odd += direction[i + 1]! * values[from + bases[i + 1]!]!;
  }
  return i < bases.length ? even + odd + direction[i]! * values[from + bases[i]!]! : even + odd;
}

/** Checks whether neighbouring units lie nearer to each other in memory than the elements of one unit. */
function isNearer(bases: Int32Array, offsets: Int32Array): boolean {
  if (offsets.length < 2 || bases.length < 2) return offsets.length < 2;
  return Math.abs(bases[1]! - bases[0]!) < Math.abs(offsets[1]! - offsets[0]!);
}
