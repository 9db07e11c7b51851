import { at, type Checkpoint, entry, formatShape, InputError, MismatchError } from "@isthmus/core";
import { type ModelConfig, otherSizesOf, vocabularySizeOf } from "./model-config.ts";

/** Axes that count tokens, by names of tensors. */
export type VocabularyAxes = ReadonlyMap<string, number>;

/** Options of {@link findVocabularyAxes}: facts that the tensors do not show. */
export interface VocabularyAxesOptions {
  /** The network's `config.json`. @defaultValue {} */
  readonly config?: ModelConfig;
  /**
   * Axes of tensors that names and sizes do not decide, by names of tensors; -1 for a tensor without an axis
   * of tokens. @defaultValue none
   */
  readonly axes?: Readonly<Record<string, number>>;
}

/** Names of embeddings and output heads in common architectures. */
const EMBEDDING = new RegExp(
  `(^|\\.)(${[
    "(embed_tokens|wte|word_embeddings|tok_embeddings|token_embedding|embed_in|embed_out|shared)\\.\\w+",
    "(embeddings?|output)\\.weight",
    "(lm_head|predictions|pred_layer)\\.((decoder|proj)\\.)?(weight|bias)",
    "final_logits_bias",
  ].join("|")})$`,
);
/** Names of tensors that have no axis of tokens, even if an axis has the size of the vocabulary. */
const INNER =
  /(^|\.)(layers?|h|blocks?|encoder\.layer|position\w*|wpe|\w*norm\w*|ln_\w+|pooler|rotary\w*)(\.|$)/i;

/**
 * Finds the tensors that have one row for each token: embeddings, output heads and their biases.
 *
 * A tensor is found if an axis has the size of the vocabulary and its name is a usual name of embeddings.
 * Under another name it is found if no other number in the config equals that size and the tensor is not in a
 * layer, norm or pooler.
 *
 * @returns axes by name, in the order of the checkpoint
 * @throws MismatchError if the number of rows of an embedding differs from the config
 * @throws InputError if names and sizes do not decide; the message says how to name the axes
 */
export function findVocabularyAxes(
  checkpoint: Checkpoint,
  { config = {}, axes = {} }: VocabularyAxesOptions = {},
): VocabularyAxes {
  const size = vocabularySizeOf(config) ?? sizeOfEmbedding(checkpoint);
  // Without a config nothing tells which other sizes there are.
  const isDistinct = vocabularySizeOf(config) !== undefined && !otherSizesOf(config).has(size ?? 0);
  const result = new Map<string, number>();
  const undecided: string[] = [];
  for (const name of checkpoint.tensors.keys()) {
    const axis = axes[name] ?? inferAxis(checkpoint, name, { size, isDistinct });
    if (axis === undefined) undecided.push(name);
    else if (axis >= 0) result.set(name, assertAxis(checkpoint, name, axis));
  }
  if (undecided.length === 0) return result;
  const list = undecided.map((name) => `"${name}"`).join(", ");
  throw new InputError(
    `Cannot find the tensors of "${checkpoint.source}" that have a row for each token as other sizes are ${size} too: ${list}; say for each in "axes" which axis counts tokens, or -1`,
    { input: checkpoint.source },
  );
}

interface VocabularySize {
  readonly size: number | undefined;
  /** Whether the config shows that no other axis of the network has that length. */
  readonly isDistinct: boolean;
}

/** Finds the axis of tokens of a tensor: -1 if it has none, undefined if that is uncertain. */
function inferAxis(
  checkpoint: Checkpoint,
  name: string,
  { size, isDistinct }: VocabularySize,
): number | undefined {
  if (size === undefined) return -1;
  const axis = entry(checkpoint.tensors, name, "tensor").shape.indexOf(size);
  if (isMainEmbedding(name) && axis < 0) throw sizeError(checkpoint, name, size);
  if (axis < 0 || EMBEDDING.test(name)) return axis;
  if (INNER.test(name)) return -1;
  return isDistinct ? axis : undefined;
}

/** Checks whether a tensor is the input embedding, not one of the other embeddings of a network. */
function isMainEmbedding(name: string): boolean {
  return /(^|\.)(embed_tokens|wte|word_embeddings|tok_embeddings|embed_in)\.weight$/.test(name);
}

function sizeOfEmbedding({ tensors }: Checkpoint): number | undefined {
  for (const [name, { shape }] of tensors) if (isMainEmbedding(name)) return shape[0];
  return undefined;
}

function sizeError(checkpoint: Checkpoint, name: string, size: number): MismatchError {
  const shape = formatShape(entry(checkpoint.tensors, name, "tensor").shape);
  return new MismatchError(
    `Cannot find the rows of tokens in "${name}" of "${checkpoint.source}" as an axis must have vocab_size of config.json, ${size}: it is ${shape}; correct vocab_size`,
    { parameters: [name] },
  );
}

function assertAxis(checkpoint: Checkpoint, name: string, axis: number): number {
  const { shape } = entry(checkpoint.tensors, name, "tensor");
  if (Number.isInteger(axis) && axis < shape.length) return axis;
  throw new InputError(
    `Cannot use axis ${axis} of "${name}" of "${checkpoint.source}" as it has ${shape.length} axes: ${formatShape(shape)}`,
    { input: name },
  );
}

/**
 * Checks that vocabularies of networks that are merged without a tokenizer have one size.
 * @throws MismatchError if the sizes differ; the message names the setting of recipes that unites
 *   vocabularies
 */
export function assertSameVocabularySize(
  networks: readonly Checkpoint[],
  axes: readonly VocabularyAxes[],
): void {
  const [first, ...others] = networks;
  if (first === undefined) return;
  for (const [name, axis] of at(axes, 0)) {
    const size = first.tensors.get(name)?.shape[axis];
    for (const [i, other] of others.entries()) {
      const otherSize = other.tensors.get(name)?.shape[axes[i + 1]?.get(name) ?? axis];
      if (otherSize === undefined || otherSize === size) continue;
      throw new MismatchError(
        `Cannot merge "${name}" as vocabularies must have one size without a tokenizer: ${size} rows in "${first.source}" and ${otherSize} in "${other.source}"; add "tokenizer: {source: union}" (or base) to the recipe`,
        { parameters: [name] },
      );
    }
  }
}
