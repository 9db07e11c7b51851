/** A field of a weight spread over the positions of a component. */
interface KeyedField {
  /** Index into `units` and `ranks` of each position of the component, `[size]`. */
  readonly indices: Int32Array;
  readonly units: Int32Array;
  readonly ranks: Int32Array;
  /** Smallest unit of the field. */
  readonly lowest: number;
  /** Largest unit of the field. */
  readonly highest: number;
  /** One more than the largest rank. */
  readonly rankCount: number;
}

/**
 * Returns a key for each position of a component, `[size]`, after units were permuted by `source`, if it is
 * given.
 *
 * Keys of (unit, rank) pairs come first, then one for each position of the field at which nothing moves, then
 * one for all units that the field does not hold.
 */
export function fieldKeys(field: KeyedField, source: Int32Array | undefined): Int32Array {
  const { indices, lowest, highest, rankCount, units, ranks } = field;
  const pairs = (highest - lowest + 1) * rankCount;
  const keys = new Int32Array(indices.length);
  for (let position = 0; position < indices.length; position++) {
    const index = indices[position]!;
    const unit = units[index]!;
    if (unit < 0) {
      keys[position] = pairs + index;
      continue;
    }
    const moved = source === undefined ? unit : unit < source.length ? source[unit]! : -1;
    keys[position] =
      moved < lowest || moved > highest ? pairs + units.length : (moved - lowest) * rankCount + ranks[index]!;
  }
  return keys;
}

/** Numbers distinct keys from 0 up, in order of first occurrence. */
export interface Interner {
  /** Number of each key, or -1; undefined if there may be too many keys for a table. */
  readonly dense: Int32Array | undefined;
  /** Number of each key seen so far, used if there is no table; else it stays empty. */
  readonly sparse: Map<number, number>;
  /** Number of distinct keys so far. */
  count: number;
}

/** Most possible keys for which a table is faster than hashing. */
const MAX_DENSE = 1 << 20;

/** Creates an interner of keys in `[0, keys)`. */
export function createInterner(keys: number): Interner {
  const dense = keys <= MAX_DENSE ? new Int32Array(keys).fill(-1) : undefined;
  return { dense, sparse: new Map(), count: 0 };
}

/** Replaces each id by the number of the pair (id, key); `keyCount` is one more than the largest key. */
export function refineIdsInPlace(
  ids: Int32Array,
  keys: Int32Array,
  keyCount: number,
  interner: Interner,
): void {
  const { dense, sparse } = interner;
  for (let position = 0; position < ids.length; position++) {
    const pair = ids[position]! * keyCount + keys[position]!;
    let id = dense === undefined ? (sparse.get(pair) ?? -1) : dense[pair]!;
    if (id < 0) {
      id = interner.count++;
      if (dense === undefined) sparse.set(pair, id);
      else dense[pair] = id;
    }
    ids[position] = id;
  }
}

/**
 * Finds for each position the last position that had its key before; -1 if none had.
 * @param count - one more than the largest key
 */
export function matchKeys(before: Int32Array, after: Int32Array, count: number): Int32Array {
  const positions = new Int32Array(count).fill(-1);
  for (let position = 0; position < before.length; position++) positions[before[position]!] = position;
  const map = new Int32Array(after.length);
  for (let position = 0; position < after.length; position++) map[position] = positions[after[position]!]!;
  return map;
}
