import { reshape, transpose, type Value } from "@isthmus/graph/builder";
import { attention } from "./attention.ts";

/** Tokens taken apart into heads, each `[N, length, count, inner]`, and the mask of their scores. */
export interface GroupedOperands {
  /** As many as there are heads. */
  readonly queries: Value;
  /** As many as there are groups, which divide the heads. */
  readonly keys: Value;
  /** As many as keys. */
  readonly values: Value;
  /** Added to the scores, `[length, length]`. @defaultValue none */
  readonly mask?: Value;
}

/**
 * Attention in which `heads / groups` queries share the keys and values of a group, which are broadcast and not repeated: rows
 * `[N * length, heads * inner]`.
 * @see Ainslie et al., GQA: training generalized multi-query transformer models, 2023, section 2.2
 */
export function groupedAttention({ queries, keys, values, mask }: GroupedOperands): Value {
  const [, length = 0, heads = 0, inner = 0] = queries.shape;
  const groups = keys.shape[2] ?? 1;
  const mixed = attention({
    queries: transpose(reshape(queries, [-1, length, groups, heads / groups, inner]), [0, 2, 3, 1, 4]),
    keys: transpose(reshape(keys, [-1, length, groups, 1, inner]), [0, 2, 3, 4, 1]),
    values: transpose(reshape(values, [-1, length, groups, 1, inner]), [0, 2, 3, 1, 4]),
    ...(mask === undefined ? {} : { mask }),
  });
  return reshape(transpose(mixed, [0, 3, 1, 2, 4]), [-1, heads * inner]);
}
