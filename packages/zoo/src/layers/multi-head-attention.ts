import { at } from "@isthmus/core";
import { split, type Value } from "@isthmus/graph/builder";
import type { NetworkBuilder } from "../network-builder.ts";
import {
  type AttentionOperands,
  attention,
  type HeadLayout,
  joinHeads,
  splitHeads,
  splitKeys,
} from "./attention.ts";
import { type LinearOptions, linear } from "./linear.ts";

/** One of the three operands of an attention. */
export type AttentionPart = "query" | "key" | "value";

/** Options of {@link multiHeadAttention}. */
export interface MultiHeadOptions extends HeadLayout, Pick<AttentionOperands, "mask" | "scale" | "drop"> {
  /** Number of rows of an example that give keys and values. @defaultValue the number of its tokens */
  readonly seen?: number;
}

/**
 * Attends from every token to every other one, with as many keys and values as queries, and returns the heads
 * side by side, `[N * length, width]`, before the projection that mixes them.
 * @param project - returns the rows of queries, keys or values, `[N * length, width]`; called once for each
 */
export function multiHeadAttention(
  project: (part: AttentionPart) => Value,
  { length, heads, seen = length, ...options }: MultiHeadOptions,
): Value {
  const layout = { length: seen, heads };
  const mixed = attention({
    queries: splitHeads(project("query"), { length, heads }),
    keys: splitKeys(project("key"), layout),
    values: splitHeads(project("value"), layout),
    ...options,
  });
  return joinHeads(mixed);
}

/**
 * Projects rows `[rows, width]` by one weight of three times the width, and returns the third of each part.
 */
export function fusedProjection(
  network: NetworkBuilder,
  rows: Value,
  name: string,
  options: Omit<LinearOptions, "out">,
): (part: AttentionPart) => Value {
  const width = at(rows.shape, 1, "axis");
  const fused = linear(network, rows, name, { ...options, out: 3 * width });
  const [query, key, value] = split(fused, 1, [width, width, width]) as [Value, Value, Value];
  const parts = { query, key, value };
  return (part) => parts[part];
}
