import { at, OutOfRangeError } from "@isthmus/core";
import { add, cast, cumSum, equal, mul, not, sub, type Value } from "@isthmus/graph/builder";

/**
 * Returns the positions of tokens, `[N, length]`: every row is 0, 1, ..., `length - 1`, for ids
 * `[N, length]`.
 *
 * The positions are computed from the ids rather than being a constant. With a constant, number of rows of
 * the table of positions that examples of one length never read would seem free to be permuted, although
 * longer examples read them.
 * @param positions - rows of the table of positions
 * @throws OutOfRangeError if there are fewer positions than tokens
 */
export function placeIndices(ids: Value, positions: number): Value {
  const length = assertPositions(ids, positions);
  return add(sub(ids, ids), ids.builder.ints(Array.from({ length }, (_, place) => place)));
}

/**
 * Returns the positions of tokens, `[N, length]`, numbered from `padding + 1` on; tokens whose id is
 * `padding` are not counted and have the position `padding`.
 * @param positions - number of rows of the table of positions
 * @throws OutOfRangeError if there are fewer positions than tokens
 */
export function placesBehindPadding(ids: Value, positions: number, padding: number): Value {
  assertPositions(ids, positions - padding - 1);
  const isText = cast(not(equal(ids, padding)), "i64");
  return add(mul(cumSum(isText, 1), isText), padding);
}

/** Returns the number of tokens of an example, which must be at most the number of positions. */
function assertPositions(ids: Value, positions: number): number {
  const length = at(ids.shape, 1, "axis");
  if (length <= positions) return length;
  throw new OutOfRangeError(
    `Cannot build "${ids.builder.name}" for examples of ${length} tokens as there must be a position for each: it has ${positions}; take texts of at most as many tokens`,
  );
}
