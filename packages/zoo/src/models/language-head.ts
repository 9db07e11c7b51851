import { reshape, type Value } from "@isthmus/graph/builder";
import { normal, normalWeight } from "../initializer.ts";
import { linear } from "../layers/linear.ts";
import { tokenLogits } from "../layers/token-logits.ts";
import { classCount } from "./class-count.ts";
import type { FamilyContext, FamilyOutputs } from "./model-family.ts";

/** What the head of a decoder is made of. */
export interface HeadParts {
  /** Rows after the last norm, `[N * length, width]`. */
  readonly rows: Value;
  /** The embedding, `[vocabulary, width]`. */
  readonly embedding: Value;
  /** Weight of a head of its own, without `.weight`. */
  readonly name: string;
  /** What a missing `tie_word_embeddings` stands for. */
  readonly tied: boolean;
}

/** Classes of models that tell tokens apart. */
const LANGUAGE_MODEL = /(ForCausalLM|LMHeadModel)$/;

/**
 * What a decoder computes: `logits`, by a head of its own, by its embedding, or of a classifier, `[N, length, ...]`; `hidden` rows
 * where it has no head.
 */
export function languageHead(
  { network, config, has, length }: FamilyContext,
  { rows, embedding, name, tied }: HeadParts,
): FamilyOutputs {
  const { shape } = embedding;
  const perToken = (value: Value) => reshape(value, [-1, length, value.shape[1] ?? 0]);
  const separate = () => tokenLogits(rows, network.weight(`${name}.weight`, shape, normal(0.02)), length);
  if (has?.(`${name}.weight`)) return { logits: separate() };
  if (has?.("score.weight")) {
    const classes = { out: classCount(config), initializer: normalWeight(0.02), bias: false };
    return { logits: perToken(linear(network, rows, "score", classes)) };
  }
  const classNames = config.texts("architectures");
  const isBase = classNames.length > 0 && !classNames.some((entry) => LANGUAGE_MODEL.test(entry));
  if (isBase && has !== undefined) return { hidden: perToken(rows) };
  if (!config.boolean("tie_word_embeddings", tied)) return { logits: separate() };
  return { logits: tokenLogits(rows, embedding, length) };
}
