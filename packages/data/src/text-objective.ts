import { createRandom, createTensor, OutOfRangeError, type Tensor } from "@isthmus/core";
import type { Batch, DataSet } from "@isthmus/graph";
import { assertReads } from "./assert-reads.ts";
import type { NoiseObjective } from "./noise-objective.ts";

/**
 * Objective of a network that does not predict each token of a text from those before it:
 *
 * - `masked`: a share of the tokens of each example, drawn by a seed, is replaced by the mask, and these
 *   tokens are predicted from all others, as BERT is trained (Devlin et al., BERT, 2019, section 3.1; all
 *   chosen tokens are masked here, none is kept or replaced by a random token, and their number is the same
 *   in each example);
 * - `continued`: an encoder reads an example, and a decoder predicts as many tokens that follow it, each also
 *   from those before it, as T5 does as a language model with a prefix (Raffel et al., 2020, section 3.2.1);
 *   of arrays, the decoder predicts the labels, for Whisper the tokens of the spoken words;
 * - `paired`: of some images and texts, it tells which belong together, as CLIP is trained.
 */
export type TextObjective =
  | {
      /** Tag of masked tokens. */
      readonly kind: "masked";
      /** Id of the mask. */
      readonly token: number;
    }
  | {
      /** Tag of a continuation. */
      readonly kind: "continued";
      /** Id of the token with which the decoder begins. */
      readonly start: number;
      /**
       * Id of the token that a decoder reads instead of labels that do not count. @defaultValue the token
       * with which it begins
       */
      readonly padding?: number;
    }
  | {
      /** Tag of images and texts. */
      readonly kind: "paired";
      /**
       * Question that the loss asks: which text belongs to an image and which image to a text (`best`), or of
       * each image and each text whether they belong together (`each`), as SigLIP is trained. @defaultValue
       * best
       */
      readonly asks?: "best" | "each";
    };

/** Share of the tokens of an example that are masked, as in BERT. */
const MASKED = 0.15;

/** Seed by which masked tokens are drawn, so that all networks are measured on the same ones. */
const SEED = 0;

/** Name of the input of a decoder. */
export const DECODER_IDS = "decoder_input_ids";

/** Label of a token that does not count. */
const NO_LABEL = -1;

/** Setting in a name with the number of tokens of an example. */
export const CONTEXT: RegExp = /context=(\d+)/;

/**
 * Returns the number of tokens of an example: what the name of the data says, else what the options do.
 * @throws OutOfRangeError if the name asks for more than the model takes
 */
export function contextOf(
  { context }: Readonly<Record<string, string>>,
  options: { readonly context: number; readonly longest: number },
): number {
  if (context === undefined) return options.context;
  const asked = Number(context);
  if (options.longest === 0 || asked <= options.longest) return asked;
  throw new OutOfRangeError(
    `Cannot use examples of ${context} tokens as the model takes at most ${options.longest}: give a smaller context`,
  );
}

/** Returns the number of tokens of a window for examples of `context` tokens. */
export function windowOf(context: number, objective: TextObjective | NoiseObjective | undefined): number {
  return objective?.kind === "continued" ? 2 * context : context;
}

/**
 * Returns a data set of windows of tokens as examples of an objective of texts; otherwise the data set
 * itself.
 * @param data - windows of as many tokens as {@link windowOf} says
 * @throws OutOfRangeError if a token of the objective is not in the vocabulary
 */
export function withObjective(data: DataSet, objective: TextObjective | NoiseObjective | undefined): DataSet {
  if (objective === undefined || objective.kind === "noise" || objective.kind === "paired") return data;
  const { kind } = objective;
  const token = kind === "masked" ? objective.token : objective.start;
  if (!(Number.isSafeInteger(token) && token >= 0)) {
    throw new OutOfRangeError(
      `Cannot use data set "${data.name}" as the ${kind === "masked" ? "mask" : "first token of the decoder"} must be a token id, a whole number of at least 0: it is ${token}`,
    );
  }
  const { gatherInto: _, ...others } = data;
  const [window = 0] = data.exampleShape;
  const length = kind === "masked" ? window : window / 2;
  const predict = kind === "masked" ? mask : continuation;
  return Object.freeze({
    ...others,
    ...(kind === "continued" && {
      exampleShape: Object.freeze([length]),
      features: new Map([[DECODER_IDS, { dtype: "i64", shape: [length] } as const]]),
    }),
    labelling: "position" as const,
    notes: [...(data.notes ?? []), noteOf(objective)],
    read(begin: number, end: number): Batch {
      assertReads(data, begin, end);
      return predict(data.read(begin, end).inputs, token, { begin, length });
    },
  });
}

/** Describes an objective in a sentence. */
function noteOf(objective: Exclude<TextObjective, { kind: "paired" }>): string {
  return objective.kind === "masked"
    ? `The loss is that of masked tokens: ${100 * MASKED} % of the tokens of each text, drawn by seed ${SEED}, are replaced by token ${objective.token}, and only they count.`
    : `The loss is that of a continuation: the encoder reads a half of each window of the text, and the decoder predicts the other half, beginning with token ${objective.start}.`;
}

/** First example of a batch, and its number of tokens. */
interface Place {
  readonly begin: number;
  readonly length: number;
}

/** Masks tokens `[batch, length]`, at least one of each example. */
function mask({ shape, data }: Tensor, token: number, { begin, length }: Place): Batch {
  const ids = BigInt64Array.from(data as BigInt64Array);
  const labels = new Int32Array(ids.length).fill(NO_LABEL);
  const count = Math.max(1, Math.round(MASKED * length));
  for (let row = 0; row * length < ids.length; row++) {
    for (const place of drawPlaces(length, count, begin + row)) {
      const index = row * length + place;
      labels[index] = Number(ids[index]);
      ids[index] = BigInt(token);
    }
  }
  return { inputs: createTensor("i64", shape, ids), labels };
}

/** Draws `count` of `length` places without repetition, the same for each run. */
function drawPlaces(length: number, count: number, example: number): readonly number[] {
  const places = Int32Array.from({ length }, (_, place) => place);
  return Array.from(createRandom(SEED, `mask ${example}`).shuffleInPlace(places).subarray(0, count));
}

/** Splits windows `[batch, 2 * length]` into what the encoder reads and what the decoder predicts. */
function continuation({ shape, data }: Tensor, start: number, { length }: Place): Batch {
  const [batch = 0] = shape;
  const ids = data as BigInt64Array;
  const read = new BigInt64Array(batch * length);
  const labels = new Int32Array(batch * length);
  for (let row = 0; row < batch; row++) {
    const [from, to] = [2 * row * length, row * length];
    read.set(ids.subarray(from, from + length), to);
    labels.set(Array.from(ids.subarray(from + length, from + 2 * length), Number), to);
  }
  const decoderIds = shiftTokens(labels, [batch, length], { start });
  return {
    inputs: createTensor("i64", [batch, length], read),
    labels,
    features: new Map([[DECODER_IDS, decoderIds]]),
  };
}

/**
 * Returns what a decoder reads to predict labels `[batch, length]`: its first token, and the labels but the
 * last.
 */
export function shiftTokens(
  labels: Int32Array,
  [batch, length]: readonly [batch: number, length: number],
  { start, padding = start }: { readonly start: number; readonly padding?: number },
): Tensor {
  const shifted = new BigInt64Array(batch * length);
  for (let i = 0; i < shifted.length; i++) {
    const before = i % length === 0 ? start : (labels[i - 1] as number);
    shifted[i] = BigInt(before < 0 ? padding : before);
  }
  return createTensor("i64", [batch, length], shifted);
}
