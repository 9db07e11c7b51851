/** An invariant of the program does not hold: a defect of its own, which no input should be able to cause. */
export class InvariantError extends Error {
  override readonly name = "InvariantError";
}

/**
 * Returns the entry of a map that must be there.
 * @param what - what the entries are, for the message, for example `weight`
 * @throws InvariantError if it is not; the key is named
 */
export function entry<K, V>(map: ReadonlyMap<K, V>, key: K, what = "entry"): V {
  const value = map.get(key);
  if (value !== undefined || map.has(key)) return value as V;
  throw new InvariantError(`No ${what} "${String(key)}" among ${map.size}; please report this`);
}

/**
 * Returns the element of a list that must be there.
 * @param what - what the elements are, for the message, for example `axis`
 * @throws InvariantError if the index is not within the list
 */
export function at<T>(list: ArrayLike<T>, index: number, what = "element"): T {
  if (index >= 0 && index < list.length) return list[index] as T;
  throw new InvariantError(`No ${what} ${index} among ${list.length}; please report this`);
}
