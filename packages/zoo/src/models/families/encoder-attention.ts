import type { Value } from "@isthmus/graph/builder";
import { normalWeight } from "../../initializer.ts";
import { attention, type HeadLayout, joinHeads, splitHeads, splitKeys } from "../../layers/attention.ts";
import { linear } from "../../layers/linear.ts";
import type { FamilyContext } from "../model-family.ts";

/** Weights and extents of {@link encoderAttention}. */
export interface EncoderAttentionOptions extends HeadLayout {
  /** Name of what holds the projections to queries, keys and values. */
  readonly inside: string;
  /** Name of the projection of heads together. */
  readonly output: string;
  /** Whether queries, keys and values have biases. */
  readonly bias: boolean;
}

const START = normalWeight(0.02);

/** Attention of every token to every other, with projections apart, as BERT and its relatives have it: `[N * length, width]`. */
export function encoderAttention(
  { network }: FamilyContext,
  rows: Value,
  { inside, output, bias, ...layout }: EncoderAttentionOptions,
): Value {
  const out = rows.shape[1] ?? 0;
  const project = (part: string) =>
    linear(network, rows, `${inside}.${part}`, { out, initializer: START, bias });
  const mixed = attention({
    queries: splitHeads(project("query"), layout),
    keys: splitKeys(project("key"), layout),
    values: splitHeads(project("value"), layout),
  });
  return linear(network, joinHeads(mixed), output, { out, initializer: START });
}
