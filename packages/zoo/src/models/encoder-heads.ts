import { at } from "@isthmus/core";
import { gemm, reshape, slice, type Value } from "@isthmus/graph/builder";
import { constant, normal } from "../initializer.ts";
import { linear } from "../layers/linear.ts";
import { classCount } from "./class-count.ts";
import type { FamilyContext, FamilyOutputs } from "./model-family.ts";
import { ENCODER_START, encoderNorm } from "./token-encoder.ts";

/** Names and values for the head that predicts words; names of layers lack `.weight`. */
export interface WordHead {
  /** Name of the layer that transforms each row first. */
  readonly transform: string;
  /** Name of the norm of the transformed rows. */
  readonly norm: string;
  /** Name of the layer of a separate head; its weight is missing if the embedding is the head. */
  readonly decoder: string;
  /** Names that the bias of words may have, the usual one first. */
  readonly biases: readonly [string, ...string[]];
  /** Embedding of words, `[vocabulary, width]`. */
  readonly words: Value;
  /** Epsilon of the norm. */
  readonly epsilon: number;
  /** Function of the transformed rows, before the norm. */
  readonly activation: (x: Value) => Value;
}

/**
 * Adds the head that predicts a word at every place, `[N, length, vocabulary]`, if the checkpoint has one or
 * is unknown; returns no outputs otherwise.
 */
export function wordHead(context: FamilyContext, x: Value, head: WordHead): FamilyOutputs {
  const { network, has, length } = context;
  const { transform, norm, decoder, biases, words, epsilon, activation } = head;
  if (has !== undefined && !has(`${transform}.weight`)) return {};
  const layer = { out: at(x.shape, 1, "axis"), initializer: ENCODER_START };
  const rows = encoderNorm(context, activation(linear(network, x, transform, layer)), norm, epsilon);
  const isSeparate = has?.(`${decoder}.weight`) === true;
  const weight = isSeparate ? network.weight(`${decoder}.weight`, words.shape, normal(0.02)) : words;
  const biasName = biases.find((name) => has?.(name)) ?? biases[0];
  const vocabulary = at(words.shape, 0, "axis");
  const bias = network.weight(biasName, [vocabulary], constant(0));
  return { logits: reshape(gemm(rows, weight, { transB: true, bias }), [-1, length, vocabulary]) };
}

/** Pattern of names of Hugging Face classes that classify every token. */
const TOKEN_CLASSIFIER = /ForTokenClassification$/;

/**
 * Adds the head that reads every token, if there is one: it predicts classes of tokens, or the beginnings and
 * ends of answers.
 * @param classifies - whether the layer `classifier` reads every token
 */
export function tokenHeads(context: FamilyContext, x: Value, classifies: boolean): FamilyOutputs {
  const { network, config, has, length } = context;
  const classify = (name: string, out: number) =>
    reshape(linear(network, x, name, { out, initializer: ENCODER_START }), [-1, length, out]);
  if (has?.("qa_outputs.weight")) return { logits: classify("qa_outputs", 2) };
  return classifies ? { logits: classify("classifier", classCount(config)) } : {};
}

/**
 * Checks whether the layer `classifier` reads every token rather than a pooled one. Some checkpoints of token
 * classifiers still contain the pooling layer of the network from which they were made.
 * @param pooler - name of the pooling layer
 */
export function classifiesTokens({ config, has }: FamilyContext, pooler: string): boolean {
  if (!has?.("classifier.weight")) return false;
  return (
    !has(`${pooler}.weight`) || config.texts("architectures").some((name) => TOKEN_CLASSIFIER.test(name))
  );
}

/** Returns the first token of each text, `[N, width]`, of rows `[N * length, width]`. */
export function firstTokens({ length }: FamilyContext, rows: Value): Value {
  const width = at(rows.shape, 1, "axis");
  const first = slice(reshape(rows, [-1, length, width]), [{ axis: 1, begin: 0, end: 1 }]);
  return reshape(first, [-1, width]);
}

/** Adds a layer on rows `[rows, width]`. */
export function encoderLayer({ network }: FamilyContext, rows: Value, name: string, out: number): Value {
  return linear(network, rows, name, { out, initializer: ENCODER_START });
}
