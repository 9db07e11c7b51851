import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { at, type Checkpoint, resolveModelPath, UnsupportedError } from "@isthmus/core";
import { chooseChatTemplate } from "../models/chat-template.ts";
import { readModelConfig } from "../models/exact-json.ts";
import type { ModelConfig } from "../models/model-config.ts";
import { planVocabulary, type TokenizerOptions } from "../models/plan-vocabulary.ts";
import { remapVocabulary } from "../models/remap-vocabulary.ts";
import { hasPiecesOnly, haveSamePieces } from "../models/sentence-pieces.ts";
import { examineTiedWeights, untieWeights } from "../models/tied-weights.ts";
import {
  assertSameVocabularySize,
  findVocabularyAxes,
  type VocabularyAxes,
} from "../models/vocabulary-axes.ts";
import type { VocabularyPlan } from "../models/vocabulary-plan.ts";
import { keyOf } from "../plan/groups.ts";
import { atPlace } from "../plan/open-inputs.ts";
import type { ModelReference, Recipe } from "../recipe/recipe.ts";
import { isNested, listReferences, nameOf } from "./list-references.ts";
import { splitReference } from "./open-reference.ts";

/** A network of a recipe, and the directory of a model that it lies in. */
export interface RecipeModelInput {
  readonly reference: ModelReference;
  /** What the recipe calls it. */
  readonly name: string;
  readonly network: Checkpoint;
  /** Directory with its `config.json`; undefined if it has none, as single files. */
  readonly directory: string | undefined;
}

/** Networks of a recipe whose vocabularies and output heads agree. */
export interface PreparedModels {
  /** Networks as they are merged, by the keys of their references. */
  readonly networks: ReadonlyMap<string, Checkpoint>;
  /** All of them with their directories, in the order of the recipe. */
  readonly inputs: readonly RecipeModelInput[];
  /** The vocabulary of the result; undefined if it is that of the base. */
  readonly vocabulary: VocabularyPlan | undefined;
  /** Whether the output head of the result is its embedding; undefined if the config of the base says it. */
  readonly tied: boolean | undefined;
  /** What people should look at. */
  readonly notes: readonly string[];
}

/**
 * Opens the networks of a recipe that are no recipes themselves, and makes language models fit each other:
 * rows of embeddings are put in the order of one vocabulary where the recipe has a tokenizer, and a network
 * without an output head gets one where others have it.
 *
 * @param open - opens the network of a reference
 * @throws MismatchError if vocabularies have other sizes and the recipe has no tokenizer
 * @throws UnsupportedError if the recipe has a tokenizer and a network is a recipe, or a file without its
 *   tokenizer
 */
export async function prepareModels(
  recipe: Recipe,
  open: (reference: ModelReference) => Promise<Checkpoint>,
): Promise<PreparedModels> {
  const inputs: RecipeModelInput[] = [];
  for (const { reference, path } of listReferences(recipe)) {
    if (isNested(reference)) continue;
    const network = await atPlace(recipe, { path }, () => open(reference));
    inputs.push({ reference, name: nameOf(reference), network, directory: await directoryOf(reference) });
  }
  // What cannot be used is said before anything is merged.
  if (recipe.chat_template !== undefined) await chooseChatTemplate(recipe.chat_template, []);
  const configs = await Promise.all(inputs.map(({ directory }) => configOf(directory)));
  const tokenizer = tokenizerOf(recipe);
  const axes = inputs.map(({ network }, i) => axesOf(network, configs[i], tokenizer !== undefined));
  const remapped = await unifyVocabularies(recipe, { inputs, axes, tokenizer });
  const { networks, tied } = await unifyHeads(remapped.networks, { axes, configs });
  return {
    networks: new Map(inputs.map(({ reference }, i) => [keyOf(reference), at(networks, i, "network")])),
    ...{ inputs, vocabulary: remapped.vocabulary, tied, notes: remapped.notes },
  };
}

/** Returns the directory of a model that a reference names; undefined if it has no `config.json`. */
export async function directoryOf(reference: Exclude<ModelReference, Recipe>): Promise<string | undefined> {
  const { path, revision } = await splitReference(reference);
  const location = await resolveModelPath(revision === undefined ? path : `${path}@${revision}`);
  const isFolder = (await stat(location).catch(() => undefined))?.isDirectory() ?? false;
  const directory = isFolder ? location : dirname(location);
  const hasConfig = (await stat(join(directory, "config.json")).catch(() => undefined)) !== undefined;
  return hasConfig ? directory : undefined;
}

async function configOf(directory: string | undefined): Promise<ModelConfig | undefined> {
  return directory === undefined ? undefined : readModelConfig(directory);
}

/** Axes of tokens; without a tokenizer in the recipe only of models whose config settles them. */
function axesOf(network: Checkpoint, config: ModelConfig | undefined, isNeeded: boolean): VocabularyAxes {
  if (config === undefined && !isNeeded) return new Map();
  try {
    return findVocabularyAxes(network, config === undefined ? {} : { config });
  } catch (error) {
    if (isNeeded) throw error;
    return new Map();
  }
}

function tokenizerOf({ tokenizer, tokenizer_source: source }: Recipe): TokenizerOptions | undefined {
  if (tokenizer === undefined) return source === undefined ? undefined : { source: nameOf(source) };
  const { source: of, tokens, pad_to_multiple_of: padToMultipleOf } = tokenizer;
  return {
    ...(of !== undefined && { source: nameOf(of) }),
    ...(tokens !== undefined && { tokens: tokens as NonNullable<TokenizerOptions["tokens"]> }),
    ...(padToMultipleOf !== undefined && { padToMultipleOf }),
  };
}

interface VocabularyInputs {
  readonly inputs: readonly RecipeModelInput[];
  readonly axes: readonly VocabularyAxes[];
  readonly tokenizer: TokenizerOptions | undefined;
}

async function unifyVocabularies(
  recipe: Recipe,
  { inputs, axes, tokenizer }: VocabularyInputs,
): Promise<UnifiedVocabularies> {
  const networks = inputs.map(({ network }) => network);
  const unchanged = (notes: readonly string[] = []) => {
    if (axes.every(({ size }) => size > 0)) assertSameVocabularySize(networks, axes);
    return { networks, vocabulary: undefined, notes };
  };
  if (tokenizer === undefined) return unchanged();
  if (listReferences(recipe).some(({ reference }) => isNested(reference)))
    throw noTokenizer("a recipe as a network: give it a tokenizer of its own");
  const models = inputs.map(({ name, directory }) => {
    if (directory === undefined)
      throw noTokenizer(`"${name}", which has no config.json: name the folder of the model`);
    return { name, directory };
  });
  const [first, ...others] = models;
  if (first === undefined) return unchanged();
  const { base_model: base } = recipe;
  const position = inputs.findIndex(
    ({ reference }) => base !== undefined && keyOf(reference) === keyOf(base),
  );
  const notes = await keepUnreadTokens(models, at(models, Math.max(0, position), "network"), tokenizer);
  if (notes !== undefined) return unchanged(notes);
  const vocabulary = await planVocabulary({
    ...{ networks: [first, ...others], base: position < 0 ? undefined : position, tokenizer },
  });
  return { networks: remapVocabulary(networks, axes, vocabulary), vocabulary, notes: [] };
}

/** Networks whose rows of tokens are in one order. */
interface UnifiedVocabularies {
  readonly networks: readonly Checkpoint[];
  readonly vocabulary: VocabularyPlan | undefined;
  readonly notes: readonly string[];
}

/** A network, and the directory with its tokenizer. */
interface TokenizedModel {
  readonly name: string;
  readonly directory: string;
}

/**
 * Finds out whether rows of tokens can stay as they are although some tokens cannot be read: all networks
 * have the same file of SentencePiece, or the tokenizer of the base was asked for.
 * @returns notes if rows stay; undefined if vocabularies must be planned
 */
async function keepUnreadTokens(
  models: readonly TokenizedModel[],
  base: TokenizedModel,
  { source = "union", tokens = {}, padToMultipleOf = 1 }: TokenizerOptions,
): Promise<readonly string[] | undefined> {
  const isPlain = Object.keys(tokens).length === 0 && padToMultipleOf === 1;
  if (!isPlain || (source !== "union" && source !== "base")) return undefined;
  const unread = await Promise.all(models.map(({ directory }) => hasPiecesOnly(directory)));
  if (!unread.includes(true)) return undefined;
  if (await haveSamePieces(models.map(({ directory }) => directory))) return [];
  if (source === "union") return undefined;
  return [
    `the tokens of ${models
      .filter((_, i) => unread[i])
      .map(({ name }) => `"${name}"`)
      .join(", ")} cannot be read: all networks are taken to have the tokens of "${base.name}", row by row`,
  ];
}

function noTokenizer(problem: string): UnsupportedError {
  return new UnsupportedError(`Cannot unite the vocabularies of the recipe with ${problem}`, {
    feature: "tokenizer",
  });
}

interface HeadInputs {
  readonly axes: readonly VocabularyAxes[];
  readonly configs: readonly (ModelConfig | undefined)[];
}

/** Gives networks whose head is their embedding a head of their own, if others have one. */
async function unifyHeads(
  networks: readonly Checkpoint[],
  { axes, configs }: HeadInputs,
): Promise<{ readonly networks: readonly Checkpoint[]; readonly tied: boolean | undefined }> {
  const ties = await Promise.all(
    networks.map((network, i) => examineTiedWeights(network, at(axes, i, "network"), configs[i])),
  );
  const head = ties.find(({ state }) => state === "apart" || state === "unequal")?.head;
  if (head === undefined || ties.every(({ state }) => state !== "absent"))
    return { networks, tied: undefined };
  return {
    networks: networks.map((network, i) => {
      const { state, embedding } = at(ties, i, "network");
      return state === "absent" && embedding !== undefined ? untieWeights(network, embedding, head) : network;
    }),
    tied: false,
  };
}
