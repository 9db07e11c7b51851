import { at, type Checkpoint, InvariantError, resolveModelPath, UnsupportedError } from "@isthmus/core";
import { describeRenamed, withLayoutNamesOf } from "@isthmus/merging";
import { dirname, join, stat } from "@isthmus/platform";
import { chooseChatTemplate } from "../models/chat-template.ts";
import { readModelConfig } from "../models/exact-json.ts";
import { changeConfig, type ModelConfig } from "../models/model-config.ts";
import { planVocabulary, type TokenizerOptions } from "../models/plan-vocabulary.ts";
import { remapVocabulary } from "../models/remap-vocabulary.ts";
import { hasPiecesOnly, haveSamePieces } from "../models/sentence-pieces.ts";
import { examineTiedWeights, untieWeights } from "../models/tied-weights.ts";
import {
  assertSameVocabularySize,
  findVocabularyAxes,
  type VocabularyAxes,
} from "../models/vocabulary-axes.ts";
import type { VocabularyNetwork, VocabularyPlan } from "../models/vocabulary-plan.ts";
import { type CheckedRecipe, keyOf } from "../plan/groups.ts";
import { isRecipe, type ModelReference, RECIPE_DTYPES, type Recipe } from "../recipe/recipe.ts";
import { listReferences, nameOfReference } from "./list-references.ts";
import { describeTemplate, type ModelTemplate } from "./model-template.ts";
import { splitReference } from "./open-reference.ts";

/** A network of a recipe, with the directory of its model. */
export interface RecipeModelInput {
  /** Reference to the network, as in the recipe. */
  readonly reference: ModelReference;
  /** Name of the network in the recipe. */
  readonly name: string;
  /**
   * Opened network under the names of the base or the first network, before vocabularies and heads are made
   * to agree.
   */
  readonly network: Checkpoint;
  /**
   * Directory with the `config.json` of the network; undefined if there is none, as for single files. For a
   * recipe, it is the directory of the model whose files the result of that recipe has.
   */
  readonly directory: string | undefined;
  /** Prepared models of the input if it is a recipe; otherwise undefined. */
  readonly nested: PreparedModels | undefined;
}

/** Networks of a recipe whose vocabularies and output heads agree. */
export interface PreparedModels {
  /** Networks in the form in which they are merged, by the keys of their references. */
  readonly networks: ReadonlyMap<string, Checkpoint>;
  /** Networks before they were prepared, with their directories, in the order of the recipe. */
  readonly inputs: readonly RecipeModelInput[];
  /**
   * Model whose files the result has: the base, or the first network. If that is a recipe, the template of
   * that recipe.
   */
  readonly template: ModelTemplate;
  /** Vocabulary of the result; undefined if it is the vocabulary in the template's files. */
  readonly vocabulary: VocabularyPlan | undefined;
  /** Whether the output head of the result is its embedding; undefined if the template's config is right. */
  readonly tied: boolean | undefined;
  /** Notes on the files of the result. */
  readonly notes: readonly string[];
  /** Notes on networks whose tensors got the names that the base, or the first network, has for them. */
  readonly renamed: readonly string[];
}

/** Functions that open the networks of a recipe. */
export interface PrepareModelsOptions {
  /** Opens the network of a reference that is not a recipe. */
  readonly open: (reference: ModelReference) => Promise<Checkpoint>;
  /** Plans the recipe of a reference; returns undefined if the reference is not a recipe. */
  readonly openNested: (reference: ModelReference) => Promise<NestedModel | undefined>;
}

/** The network that a recipe makes, and the prepared models of the recipe. */
export interface NestedModel {
  /** Network that the recipe makes; its tensors are computed when they are read. */
  readonly network: Checkpoint;
  /** Prepared models of that recipe, with the vocabulary and the template of its result. */
  readonly models: PreparedModels;
}

/**
 * Opens the networks of a recipe, and makes language models fit each other: rows of embeddings are put in the
 * order of one vocabulary if the recipe has a tokenizer, and a network without an output head gets a head if
 * other networks have one.
 *
 * @throws MismatchError if the sizes of vocabularies differ and the recipe has no tokenizer
 * @throws UnsupportedError if the recipe has a tokenizer, and a network is a file without its tokenizer
 */
export async function prepareModels(
  checked: CheckedRecipe,
  options: PrepareModelsOptions,
): Promise<PreparedModels> {
  const { recipe, groups, places } = checked;
  const opened: RecipeModelInput[] = [];
  for (const { reference, path } of listReferences(groups))
    opened.push(await places.open(path, () => openInput(reference, options)));
  const { inputs, renamed } = unifyNames(recipe, opened);
  // An invalid template is reported before anything is merged.
  if (recipe.chat_template !== undefined) await chooseChatTemplate(recipe.chat_template, []);
  const configs = await Promise.all(inputs.map(configOf));
  const tokenizer = tokenizerOf(recipe);
  const axes = inputs.map(({ network }, i) => axesOf(network, configs[i], tokenizer !== undefined));
  const remapped = await unifyVocabularies(checked, { inputs, axes, tokenizer });
  const { networks, tied } = await unifyHeads(remapped.networks, { axes, configs });
  const first = findTemplate(recipe, inputs);
  return {
    networks: new Map(inputs.map(({ reference }, i) => [keyOf(reference), at(networks, i, "network")])),
    inputs,
    template: describeTemplate(recipe, first),
    vocabulary: remapped.vocabulary ?? first.nested?.vocabulary,
    tied: tied ?? first.nested?.tied,
    notes: [...inputs.flatMap(({ nested }) => nested?.notes ?? []), ...remapped.notes],
    renamed: [...inputs.flatMap(({ nested }) => nested?.renamed ?? []), ...renamed],
  };
}

async function openInput(
  reference: ModelReference,
  { open, openNested }: PrepareModelsOptions,
): Promise<RecipeModelInput> {
  const name = nameOfReference(reference);
  const opened = await openNested(reference);
  if (opened !== undefined) {
    const { network, models } = opened;
    return { reference, name, network, directory: models.template.directory, nested: models };
  }
  if (isRecipe(reference)) throw new InvariantError("A recipe inside another one was not planned");
  const network = await open(reference);
  return { reference, name, network, directory: await modelFolderOf(reference), nested: undefined };
}

/** Gives diffusion models the names of the base or the first one, with a note on each that had others. */
function unifyNames(recipe: Recipe, opened: readonly RecipeModelInput[]) {
  const { network: first } = findTemplate(recipe, opened);
  const named = opened.map(({ network }) => withLayoutNamesOf(first, network));
  return {
    inputs: opened.map((input, i) => ({ ...input, network: at(named, i, "network").network })),
    renamed: named.flatMap((one) => describeRenamed(one) ?? []),
  };
}

function findTemplate({ base_model: base }: Recipe, inputs: readonly RecipeModelInput[]): RecipeModelInput {
  const key = base === undefined ? undefined : keyOf(base);
  return inputs.find(({ reference }) => keyOf(reference) === key) ?? at(inputs, 0, "network");
}

/** Returns the folder of the model that a reference names; undefined if it has no `config.json`. */
export async function modelFolderOf(reference: Exclude<ModelReference, Recipe>): Promise<string | undefined> {
  const { path, revision } = await splitReference(reference);
  const location = await resolveModelPath(revision === undefined ? path : `${path}@${revision}`);
  const isFolder = (await stat(location).catch(() => undefined))?.isDirectory() ?? false;
  const directory = isFolder ? location : dirname(location);
  const hasConfig = (await stat(join(directory, "config.json")).catch(() => undefined)) !== undefined;
  return hasConfig ? directory : undefined;
}

/**
 * Reads the config of an input. For a recipe, it is changed to the vocabulary and the head of the result of
 * that recipe.
 */
async function configOf({ directory, nested }: RecipeModelInput): Promise<ModelConfig | undefined> {
  if (directory === undefined) return undefined;
  const config = await readModelConfig(directory);
  if (nested === undefined) return config;
  return changeConfig(config, { vocabularySize: nested.vocabulary?.size, tied: nested.tied }).config;
}

/**
 * Finds the axes of tokens of a network. If they are not needed, because the recipe has no tokenizer, there
 * are none for models without a config or with ambiguous axes.
 */
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
  if (tokenizer === undefined) return source === undefined ? undefined : { source: nameOfReference(source) };
  const { source: of, tokens, pad_to_multiple_of: padToMultipleOf } = tokenizer;
  return {
    ...(of !== undefined && { source: nameOfReference(of) }),
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
  checked: CheckedRecipe,
  { inputs, axes, tokenizer }: VocabularyInputs,
): Promise<UnifiedVocabularies> {
  const networks = inputs.map(({ network }) => network);
  const unchanged = (notes: readonly string[] = []) => {
    if (axes.every(({ size }) => size > 0)) assertSameVocabularySize(networks, axes);
    return { networks, vocabulary: undefined, notes };
  };
  if (tokenizer === undefined) return unchanged();
  const models = inputs.map(({ reference, name, directory, nested }) => {
    if (directory === undefined) throw noTokenizer(checked, reference, name);
    return { name, directory, vocabulary: nested?.vocabulary };
  });
  const [first, ...others] = models;
  if (first === undefined) return unchanged();
  const { recipe } = checked;
  const { base_model: base } = recipe;
  const position = inputs.findIndex(
    ({ reference }) => base !== undefined && keyOf(reference) === keyOf(base),
  );
  const notes = await keepUnreadTokens(models, at(models, Math.max(0, position), "network"), tokenizer);
  if (notes !== undefined) return unchanged(notes);
  const vocabulary = await planVocabulary({
    networks: [first, ...others],
    base: position < 0 ? undefined : position,
    tokenizer,
  });
  const named = recipe.out_dtype ?? recipe.dtype;
  const dtype = named === undefined ? undefined : RECIPE_DTYPES[named];
  return { networks: remapVocabulary(networks, axes, { ...vocabulary, dtype }), vocabulary, notes: [] };
}

/** Networks whose rows of tokens are in one order. */
interface UnifiedVocabularies {
  readonly networks: readonly Checkpoint[];
  readonly vocabulary: VocabularyPlan | undefined;
  readonly notes: readonly string[];
}

/** Name of a network, and the directory with its tokenizer. */
type TokenizedModel = Pick<VocabularyNetwork, "name" | "directory">;

/**
 * Finds out whether rows of tokens can keep their order although some tokens cannot be read: all networks
 * have the same SentencePiece file, or the recipe names the tokenizer of the base.
 * @returns notes if rows keep their order; undefined if vocabularies must be planned
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

function noTokenizer(
  { groups, places }: CheckedRecipe,
  reference: ModelReference,
  name: string,
): UnsupportedError {
  const named = listReferences(groups).find((one) => keyOf(one.reference) === keyOf(reference));
  return new UnsupportedError(
    `Cannot unite the vocabularies of the recipe as each network must have a config.json and a tokenizer beside it: "${name}" has none (${places.format(named?.path ?? [])}); name the folder of the model`,
    { feature: "tokenizer" },
  );
}

interface HeadInputs {
  readonly axes: readonly VocabularyAxes[];
  readonly configs: readonly (ModelConfig | undefined)[];
}

/** Gives networks whose head is their embedding a separate head for the merge, if other networks have one. */
async function unifyHeads(
  networks: readonly Checkpoint[],
  { axes, configs }: HeadInputs,
): Promise<{ readonly networks: readonly Checkpoint[]; readonly tied: boolean | undefined }> {
  const ties = await Promise.all(
    networks.map((network, i) => examineTiedWeights(network, at(axes, i, "network"), configs[i])),
  );
  const untied = ties.filter(({ state }) => state === "apart" || state === "unequal");
  const head = untied.find((tie) => tie.head !== undefined)?.head;
  if (head === undefined || untied.length === ties.length) return { networks, tied: undefined };
  return {
    networks: networks.map((network, i) => {
      const { state, embedding } = at(ties, i, "network");
      return state === "absent" && embedding !== undefined ? untieWeights(network, embedding, head) : network;
    }),
    tied: false,
  };
}
