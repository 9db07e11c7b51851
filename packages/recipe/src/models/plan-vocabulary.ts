import { closestName, excerpt, InputError, OutOfRangeError } from "@isthmus/core";
import { readModelConfig } from "./exact-json.ts";
import {
  addTokens,
  type MergedTokenizer,
  mergedDocument,
  mergedSettings,
  stripTokenizer,
} from "./merge-tokenizer.ts";
import { vocabularySizeOf } from "./model-config.ts";
import { type AddedToken, nextId, readVocabulary, type Vocabulary } from "./read-vocabulary.ts";
import { checkTokenRows, type TokenRow } from "./token-rows.ts";
import type { NetworkVocabulary, VocabularyNetwork, VocabularyPlan } from "./vocabulary-plan.ts";

/** Settings of the merged vocabulary, from the key `tokenizer` of a recipe. */
export interface TokenizerOptions {
  /**
   * Source of the tokens of the result: all networks (`union`), the base (`base`), or a network or directory
   * by its name.
   * @defaultValue "union"
   */
  readonly source?: string;
  /** Sources of the rows of single tokens; a token that no network has is added. @defaultValue none */
  readonly tokens?: Readonly<Record<string, TokenRow>>;
  /** Number of which the number of rows of embeddings becomes a multiple. @defaultValue 1 */
  readonly padToMultipleOf?: number;
}

/** Inputs of {@link planVocabulary}. */
export interface PlanVocabularyOptions {
  /** Networks that are merged, in the order of the recipe. */
  readonly networks: readonly [VocabularyNetwork, ...VocabularyNetwork[]];
  /**
   * Position of the base among the networks. @defaultValue undefined: the files of the first network are used
   */
  readonly base?: number | undefined;
  /** Settings of the vocabulary. @defaultValue the union of all tokens */
  readonly tokenizer?: TokenizerOptions;
}

/**
 * Plans the vocabulary of a merged network from the tokenizers of its inputs, with the meaning that mergekit
 * 0.1.5 gives to `tokenizer` in a recipe.
 *
 * A union keeps the ids of the base. The ordinary tokens of the other networks follow, network by network,
 * and then their added tokens. A network without a tokenizer is assumed to have the tokenizer of the base.
 *
 * Differs from mergekit: new tokens are numbered by rising id, not in the order of a hash table; a token
 * whose id lies beyond the embedding of a network counts as absent there, where mergekit stops with a
 * `KeyError`; vocabularies of any type can be cut, not BPE alone.
 *
 * @throws InputError if the base has no tokenizer, or a source is not the name of a network
 * @throws UnsupportedError if new tokens cannot be added to the tokenizer
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { mkdir, writeFile } from "node:fs/promises";
 * import { planVocabulary } from "@isthmus/recipe";
 *
 * // The second network has one token more.
 * const tokens = { plain: ["the", "land"], chat: ["the", "land", "<|end|>"] };
 * for (const [name, list] of Object.entries(tokens)) {
 *   await mkdir(name);
 *   await writeFile(`${name}/vocab.txt`, list.join("\n"));
 * }
 * const networks = [
 *   { name: "plain", directory: "plain" },
 *   { name: "chat", directory: "chat" },
 * ] as const;
 * const plan = await planVocabulary({ networks, base: 0, tokenizer: { source: "union" } });
 * assert.deepEqual(plan.tokens, ["the", "land", "<|end|>"]);
 * const [plain, chat] = plan.networks;
 * assert.deepEqual([...(plain?.rows ?? [])], [0, 1, -1]); // the last row is filled from "chat"
 * assert.deepEqual([...(chat?.rows ?? [])], [0, 1, 2]);
 * ```
 */
export async function planVocabulary({
  networks,
  base,
  tokenizer: { source = "union", tokens = {}, padToMultipleOf = 1 } = {},
}: PlanVocabularyOptions): Promise<VocabularyPlan> {
  const [first] = networks;
  const donor = networks[base ?? 0] ?? first;
  const notes: string[] = [];
  const baseVocabulary = await requireVocabulary(donor);
  const vocabularies = await Promise.all(
    networks.map(async (network) => {
      const vocabulary = network === donor ? baseVocabulary : await vocabularyOf(network);
      if (vocabulary === undefined) {
        await assertFitsBase(network, { name: donor.name, size: baseVocabulary.size });
        notes.push(`"${network.name}" has no tokenizer: it is taken to have that of "${donor.name}"`);
      }
      return vocabulary ?? baseVocabulary;
    }),
  );
  const chosen = await chooseTokenizer({ source, networks, vocabularies, baseVocabulary, notes });
  const tokenizer = addTokens(chosen, Object.keys(tokens));
  const count = nextId(tokenizer.ids);
  const names = Array<string | undefined>(count).fill(undefined);
  for (const [token, id] of tokenizer.ids) names[id] = token;
  return {
    tokens: names,
    size: Math.ceil(count / assertMultiple(padToMultipleOf)) * padToMultipleOf,
    networks: networks.map((network, i) =>
      findRows(network, vocabularies[i] ?? baseVocabulary, tokenizer.ids),
    ),
    base,
    rows: checkTokenRows(tokens, { ids: tokenizer.ids, networks, vocabularies }),
    tokenizer,
    notes,
  };
}

interface ChooseTokenizer {
  readonly source: string;
  readonly networks: readonly VocabularyNetwork[];
  readonly vocabularies: readonly Vocabulary[];
  readonly baseVocabulary: Vocabulary;
  readonly notes: string[];
}

async function chooseTokenizer(choice: ChooseTokenizer): Promise<MergedTokenizer> {
  const { source, networks, vocabularies, baseVocabulary } = choice;
  if (source === "base") return stripTokenizer(baseVocabulary);
  if (source === "union") return uniteTokenizers(choice);
  const position = networks.findIndex(({ name, directory }) => name === source || directory === source);
  const vocabulary = vocabularies[position] ?? (await readVocabulary(source).catch(() => undefined));
  if (vocabulary === undefined) throw noSource(source, networks);
  return {
    ...stripTokenizer({ ...vocabulary, size: nextId(vocabulary.ids) }),
    directory: vocabulary.directory,
  };
}

function noSource(source: string, networks: readonly VocabularyNetwork[]): InputError {
  const names = ["union", "base", ...networks.map(({ name }) => name)];
  const meant = closestName(source, names);
  const advice = meant === undefined ? `give one of ${names.join(", ")}` : `did you mean "${meant}"?`;
  return new InputError(
    `Cannot plan the vocabulary as the source of the tokenizer must be union, base, a network of the recipe or a folder with a tokenizer: "${source}" is none; ${advice}`,
    { input: source },
  );
}

/** Adds the tokens of all networks to the base's tokenizer. */
function uniteTokenizers({
  networks,
  vocabularies,
  baseVocabulary,
  notes,
}: ChooseTokenizer): MergedTokenizer {
  const base = stripTokenizer(baseVocabulary);
  const ordinary = new Set<string>();
  const added = new Map<string, AddedToken>(base.added.map((token) => [token.content, token]));
  for (const [i, vocabulary] of vocabularies.entries()) {
    if (vocabulary === baseVocabulary) continue;
    const name = networks[i]?.name ?? vocabulary.directory;
    const foreign = ordinaryTokensOf(vocabulary).filter((token) => !base.ids.has(token));
    foreign.forEach(ordinary.add, ordinary);
    if (foreign.length > 0) {
      notes.push(
        `${foreign.length} ordinary tokens of "${name}" are not in the base's tokenizer: as in mergekit they become strings that are looked for in any text, so texts may split otherwise than in "${name}"`,
      );
    }
    for (const token of addedTokensOf(vocabulary)) {
      if (!added.has(token.content)) added.set(token.content, token);
    }
    const other = addedTokensOf(vocabulary).find((token) => !sameSettings(token, added.get(token.content)));
    if (other !== undefined) {
      notes.push(`${excerpt(other.content)} has other settings in "${name}": the first network decides`);
    }
  }
  return addTokens(base, [...[...ordinary].filter((token) => !added.has(token)), ...added.values()]);
}

/** Lists the tokens with an embedding that are not added tokens, by rising id. */
function ordinaryTokensOf({ ids, added, size }: Vocabulary): readonly string[] {
  const addedContents = new Set(added.map(({ content }) => content));
  const ordinary = [...ids].filter(([token, id]) => id < size && !addedContents.has(token));
  return ordinary.sort((a, b) => a[1] - b[1]).map(([token]) => token);
}

function addedTokensOf({ added, size }: Vocabulary): readonly AddedToken[] {
  return added.filter(({ id }) => id < size);
}

function sameSettings({ id: _, ...settings }: AddedToken, other: AddedToken | undefined): boolean {
  return Object.entries(settings).every(([key, value]) => other?.[key as keyof AddedToken] === value);
}

function findRows(
  network: VocabularyNetwork,
  vocabulary: Vocabulary,
  tokens: ReadonlyMap<string, number>,
): NetworkVocabulary {
  const rows = new Int32Array(nextId(tokens)).fill(-1);
  for (const [token, id] of tokens) {
    const row = vocabulary.ids.get(token);
    if (row !== undefined && row < vocabulary.size) rows[id] = row;
  }
  return { ...network, rows, size: vocabulary.size, ids: vocabulary.ids };
}

/**
 * Returns the vocabulary that a merge gave a network, otherwise the vocabulary in its files; undefined if
 * there is neither.
 */
async function vocabularyOf({ directory, vocabulary }: VocabularyNetwork): Promise<Vocabulary | undefined> {
  if (vocabulary === undefined) return readVocabulary(directory);
  const { tokenizer, size } = vocabulary;
  const { ids, added, changed } = tokenizer;
  const document = mergedDocument(tokenizer);
  const settings = mergedSettings(tokenizer);
  return { directory: tokenizer.directory, ids, added, size, document, settings, isMerged: changed };
}

async function requireVocabulary(network: VocabularyNetwork): Promise<Vocabulary> {
  const { name, directory } = network;
  const vocabulary = await vocabularyOf(network);
  if (vocabulary !== undefined) return vocabulary;
  throw new InputError(
    `Cannot plan the vocabulary as "${name}" must have a tokenizer: there is no tokenizer.json, vocab.json or vocab.txt in "${directory}"; copy its tokenizer there or leave out "tokenizer"`,
    { input: directory },
  );
}

/**
 * @throws InputError if a network without a tokenizer, which is assumed to have the tokenizer of the base,
 *   has another number of rows than the base
 */
async function assertFitsBase(
  { name, directory }: VocabularyNetwork,
  base: { readonly name: string; readonly size: number },
): Promise<void> {
  const size = vocabularySizeOf(await readModelConfig(directory));
  if (size === undefined || size === base.size) return;
  throw new InputError(
    `Cannot plan the vocabulary as "${name}" has no tokenizer, and must then have the rows of "${base.name}", ${base.size}: it has ${size}; copy its tokenizer to "${directory}"`,
    { input: directory },
  );
}

function assertMultiple(multiple: number): number {
  if (Number.isInteger(multiple) && multiple >= 1) return multiple;
  throw new OutOfRangeError(
    `Cannot plan the vocabulary as pad_to_multiple_of must be a whole number of at least 1: it is ${multiple}`,
  );
}
