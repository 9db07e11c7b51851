/** Error for a violated invariant: a defect of the program, which no input should be able to cause. */
export class InvariantError extends Error {
  override readonly name = "InvariantError";
}

/**
 * Returns a required entry of a map.
 * @param what - kind of the entries for the message, for example `weight`
 * @throws InvariantError with the key, if the entry is missing
 */
export function entry<K, V>(map: ReadonlyMap<K, V>, key: K, what = "entry"): V {
  const value = map.get(key);
  if (value !== undefined || map.has(key)) return value as V;
  throw new InvariantError(`No ${what} "${String(key)}" among ${map.size}; please report this`);
}

/**
 * Returns a required element of a list.
 * @param what - kind of the elements for the message, for example `axis`
 * @throws InvariantError if the index is not within the list
 */
export function at<T>(list: ArrayLike<T>, index: number, what = "element"): T {
  if (index >= 0 && index < list.length) return list[index] as T;
  throw new InvariantError(`No ${what} ${index} among ${list.length}; please report this`);
}
