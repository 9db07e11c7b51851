import { add, sub, type Value } from "@isthmus/graph/builder";

/**
 * Places of tokens, `[N, length]`, each row 0, 1, ... of as many as there are ids.
 *
 * Computed from the ids, and not a constant: rows of a table of positions that one length of example never reads would seem free
 * to be permuted, although a longer example reads them.
 * @param positions - rows of that table
 * @throws RangeError if there are fewer of them than tokens
 */
export function placeIndices(ids: Value, positions: number): Value {
  const length = ids.shape[1] ?? 0;
  if (length > positions) {
    throw new RangeError(
      `Cannot build "${ids.builder.name}" for examples of ${length} tokens as there must be a position for each: it has ${positions}; take texts of at most as many tokens`,
    );
  }
  return add(sub(ids, ids), ids.builder.ints(Array.from({ length }, (_, place) => place)));
}
