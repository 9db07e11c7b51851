import { at } from "@isthmus/core";
import { reshape, transpose, type Value } from "@isthmus/graph/builder";
import { type AttentionOperands, attention } from "./attention.ts";

/** Tokens split into heads, and the mask of their scores. */
export interface GroupedOperands extends Pick<AttentionOperands, "scale" | "cap"> {
  /** Queries, `[N, length, heads, inner]`. */
  readonly queries: Value;
  /** Keys, `[N, length, groups, inner]`; the number of groups divides the number of heads. */
  readonly keys: Value;
  /** Values, `[N, length, groups, inner]`. */
  readonly values: Value;
  /** Summand of the scores, `[length, length]`. @defaultValue none */
  readonly mask?: Value;
}

/**
 * Attends with groups of `heads / groups` queries that share keys and values, which are broadcast rather than
 * repeated; returns rows `[N * length, heads * inner]`.
 * @see Ainslie et al., GQA: training generalized multi-query transformer models, 2023, section 2.2
 */
export function groupedAttention({ queries, keys, values, ...scoring }: GroupedOperands): Value {
  const [, length, heads, inner] = queries.shape as [number, number, number, number];
  const groups = at(keys.shape, 2, "axis");
  const mixed = attention({
    queries: transpose(reshape(queries, [-1, length, groups, heads / groups, inner]), [0, 2, 3, 1, 4]),
    keys: transpose(reshape(keys, [-1, length, groups, 1, inner]), [0, 2, 3, 4, 1]),
    values: transpose(reshape(values, [-1, length, groups, 1, inner]), [0, 2, 3, 1, 4]),
    ...scoring,
  });
  return reshape(transpose(mixed, [0, 3, 1, 2, 4]), [-1, heads * inner]);
}
