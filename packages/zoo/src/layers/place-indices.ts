import { add, sub, type Value } from "@isthmus/graph/build";

/**
 * Places of tokens, `[N, length]`, each row 0, 1, ... of as many as there are ids.
 *
 * Computed from the ids, and not a constant: rows of a table of positions that one length of example never reads would seem free
 * to be permuted, although a longer example reads them.
 */
export function placeIndices(ids: Value): Value {
  const length = ids.shape[1] ?? 0;
  return add(sub(ids, ids), ids.builder.ints(Array.from({ length }, (_, place) => place)));
}
