import { at } from "@isthmus/core";
import { mul, reshape, type Value } from "@isthmus/graph/builder";
import { normalWeight } from "../initializer.ts";
import { softCap } from "../layers/attention.ts";
import { linear } from "../layers/linear.ts";
import { tokenLogits } from "../layers/token-logits.ts";
import { classCount } from "./class-count.ts";
import type { FamilyContext, FamilyOutputs } from "./model-family.ts";

/** Values and names for the head of a decoder. */
export interface HeadParts {
  /** Rows after the last norm, `[N * length, width]`. */
  readonly rows: Value;
  /** The embedding, `[vocabulary, width]`. */
  readonly embedding: Value;
  /** Name of the weight of a separate head, without `.weight`. */
  readonly name: string;
  /** Bound that logits approach as hyperbolic tangents. @defaultValue none */
  readonly cap?: number | undefined;
  /** Factor of the logits, before their bound. @defaultValue 1 */
  readonly factor?: number | undefined;
  /** Whether a separate head has a bias, `name.bias`. @defaultValue false */
  readonly bias?: boolean;
  /** Whether rows were scaled because the head is tied. @defaultValue false */
  readonly scaled?: boolean;
}

/** Pattern of names of Hugging Face classes that predict tokens. */
const LANGUAGE_MODEL = /(ForCausalLM|LMHeadModel|ForConditionalGeneration)$/;

/**
 * Adds the head of a decoder and returns its outputs: `logits` of a separate head, of the embedding or of a
 * classifier, `[N, length, ...]`; or the `hidden` states if there is no head, `[N, length, width]`.
 */
export function languageHead(
  { network, config, has, length, onTied }: FamilyContext,
  { rows, embedding, name, cap, factor = 1, bias = false, scaled = false }: HeadParts,
): FamilyOutputs {
  const vocabulary = at(embedding.shape, 0, "axis");
  const perToken = (value: Value) => reshape(value, [-1, length, at(value.shape, 1, "axis")]);
  const bounded = (products: Value) => {
    const logits = factor === 1 ? products : mul(products, factor);
    return { logits: cap === undefined ? logits : softCap(logits, cap) };
  };
  const head = { out: vocabulary, initializer: normalWeight(0.02), bias };
  const separate = () => bounded(perToken(linear(network, rows, name, head)));
  if (has?.(`${name}.weight`)) return separate();
  if (has?.("score.weight")) {
    const classes = { out: classCount(config), initializer: normalWeight(0.02), bias: false };
    return { logits: perToken(linear(network, rows, "score", classes)) };
  }
  const classNames = config.texts("architectures");
  const isBase = classNames.length > 0 && !classNames.some((entry) => LANGUAGE_MODEL.test(entry));
  if (isBase && has !== undefined) return { hidden: perToken(rows) };
  if (!config.boolean("tie_word_embeddings")) return separate();
  // A separate head would compute other logits from rows that are scaled for tied heads.
  if (!scaled) onTied({ embedding: embedding.name, head: `${name}.weight` });
  return bounded(tokenLogits(rows, embedding, length));
}
