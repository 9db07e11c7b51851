import { at } from "@isthmus/core";
import { reshape, split, transpose, type Value } from "@isthmus/graph/builder";
import { normalWeight } from "../initializer.ts";
import type { NetworkBuilder } from "../network-builder.ts";
import { attention, joinHeads } from "./attention.ts";
import { linear } from "./linear.ts";
import { type RotaryTables, rotate } from "./rotary.ts";
import { rootMeanSquareNorm } from "./row-norm.ts";

/** Extents of an attention whose keys and values come from a short row, the latent. */
export interface LatentAttention {
  /** Number of tokens of an example. */
  readonly length: number;
  /** Number of heads. */
  readonly heads: number;
  /** Length of the row from which queries come; undefined if they come from the stream itself. */
  readonly queryRank: number | undefined;
  /** Length of the row from which keys and values come. */
  readonly rank: number;
  /** Number of dimensions of queries and keys that have no positions, in each head. */
  readonly plain: number;
  /** Number of dimensions of queries and keys that are rotated; all heads share the dimensions of keys. */
  readonly turned: number;
  /** Number of dimensions of the values of a head. */
  readonly values: number;
  /** Whether the projections from and to the stream have biases. */
  readonly bias: boolean;
  /** Tables by which the rotated dimensions turn at each place. */
  readonly rotary: RotaryTables;
  /** Summand of the scores, `[length, length]`. */
  readonly mask: Value;
  /** Factor of the scores. */
  readonly scale: number;
}

/** Number that norms of short rows add to the mean square, which configs do not contain. */
const EPSILON = 1e-6;

const START = normalWeight(0.02);

/**
 * Attends with keys and values that are computed from a normalised short row of each token, and with rotated
 * dimensions beside those without positions; returns rows `[N * length, width]`.
 * @param name - prefix of its weights, which are named as in the published checkpoints
 * @see DeepSeek-AI, DeepSeek-V2, 2024, section 2.1
 */
export function latentAttention(
  network: NetworkBuilder,
  rows: Value,
  name: string,
  block: LatentAttention,
): Value {
  const { length, heads, queryRank, rank, plain, turned, values, bias, rotary } = block;
  const project = (x: Value, layer: string, out: number, biased = false) =>
    linear(network, x, `${name}.${layer}`, { out, initializer: START, bias: biased });
  const normalize = (x: Value, layer: string) =>
    rootMeanSquareNorm(network, x, `${name}.${layer}`, { epsilon: EPSILON });
  const perHead = (x: Value, extents: readonly [number, number]) =>
    split(reshape(x, [-1, length, heads, extents[0] + extents[1]]), 3, extents) as [Value, Value];
  const queries =
    queryRank === undefined
      ? project(rows, "q_proj", heads * (plain + turned))
      : project(
          normalize(project(rows, "q_a_proj", queryRank, bias), "q_a_layernorm"),
          "q_b_proj",
          heads * (plain + turned),
        );
  const [plainQueries, turnedQueries] = perHead(queries, [plain, turned]);
  const joint = project(rows, "kv_a_proj_with_mqa", rank + turned, bias);
  const [latent, sharedKeys] = split(joint, 1, [rank, turned]) as [Value, Value];
  const expanded = project(normalize(latent, "kv_a_layernorm"), "kv_b_proj", heads * (plain + values));
  const [plainKeys, mixed] = perHead(expanded, [plain, values]);
  const { mask, scale } = block;
  const attended = attention({
    queries: transpose(plainQueries, [0, 2, 1, 3]),
    keys: transpose(plainKeys, [0, 2, 3, 1]),
    further: {
      queries: transpose(rotate(turnedQueries, rotary), [0, 2, 1, 3]),
      keys: transpose(rotate(reshape(sharedKeys, [-1, length, 1, turned]), rotary), [0, 2, 3, 1]),
    },
    values: transpose(mixed, [0, 2, 1, 3]),
    mask,
    scale,
  });
  return project(joinHeads(attended), "o_proj", at(rows.shape, 1, "axis"), bias);
}
