import { gather, reshape, type Value } from "@isthmus/graph/builder";
import { normal } from "../initializer.ts";
import type { FamilyContext } from "./model-family.ts";

/** Embedding of the tokens that a decoder reads. */
export interface TokenEmbedding {
  /** Prefix of the names of all weights but the head. */
  readonly prefix: string;
  /** The embedding, `[vocabulary, width]`. */
  readonly embedding: Value;
  /** Adds the look-up and returns a row for each token, `[N * length, width]`. */
  readonly embed: () => Value;
}

/**
 * Adds the input and the embedding of a decoder.
 * @param name - name of the embedding, without prefix and `.weight`
 * @param prefixes - prefixes of the weights in checkpoints of classes with a head; others have none
 */
export function embedTokens(
  { network, config, length, has }: FamilyContext,
  name: string,
  prefixes: readonly [string, ...string[]],
): TokenEmbedding {
  const width = config.count("hidden_size");
  const prefix = ["", ...prefixes].find((outer) => has?.(`${outer}${name}.weight`)) ?? prefixes[0];
  const ids = network.input("ids", [length], "i64");
  const vocabulary = config.count("vocab_size");
  const embedding = network.weight(`${prefix}${name}.weight`, [vocabulary, width], normal(0.02));
  return { prefix, embedding, embed: () => reshape(gather(embedding, ids), [-1, width]) };
}
