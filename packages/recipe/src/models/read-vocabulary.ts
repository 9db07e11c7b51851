import { excerpt, FormatError, InputError, readFileBytes, UnsupportedError } from "@isthmus/core";
import { join } from "@isthmus/platform";
import { exists, readExactJson, readModelConfig, readPlainJson } from "./exact-json.ts";
import { type ModelConfig, vocabularySizeOf } from "./model-config.ts";
import { isRecord } from "./model-parts.ts";
import { findPieces } from "./sentence-pieces.ts";

/** A token that a tokenizer searches in the text before its model splits the rest. */
export interface AddedToken {
  /** Position of the embedding of the token. */
  readonly id: number;
  /** Text by which the tokenizer searches for the token. */
  readonly content: string;
  /** Whether the token matches only whole words. */
  readonly single_word: boolean;
  /** Whether the token takes the white space on its left with it. */
  readonly lstrip: boolean;
  /** Whether the token takes the white space on its right with it. */
  readonly rstrip: boolean;
  /** Whether the token is searched in the normalised text instead of the original one. */
  readonly normalized: boolean;
  /**
   * Whether the token controls the model, such as an end of text, and is left out when ids are turned into
   * text.
   */
  readonly special: boolean;
}

/** The tokens of one model directory, and the files that define them. */
export interface Vocabulary {
  /** Path of the directory. */
  readonly directory: string;
  /** Position of the embedding of every token, added ones included. */
  readonly ids: ReadonlyMap<string, number>;
  /** Added tokens, by rising id. */
  readonly added: readonly AddedToken[];
  /**
   * Number of rows of the embedding by `config.json`. It may differ from the number of tokens, for example if
   * the embedding is padded.
   */
  readonly size: number;
  /** Content of `tokenizer.json`; undefined if the directory has only older files. */
  readonly document: ModelConfig | undefined;
  /** Content of `tokenizer_config.json`. */
  readonly settings: ModelConfig;
  /**
   * Whether a merge made the vocabulary, so that it differs from the files of the directory. @defaultValue
   * false
   */
  readonly isMerged?: boolean;
}

/** Largest id of a token; the largest vocabularies have about a million. */
const MAX_TOKEN_ID = 2 ** 24;
const MAX_VOCABULARY_BYTES = 2 ** 26;

/**
 * Reads the vocabulary of a model directory, with the ids that Python's transformers assigns:
 * `tokenizer.json` (BPE, WordPiece, WordLevel, Unigram), or `vocab.json` or `vocab.txt`, then the tokens that
 * `tokenizer_config.json`, `added_tokens.json` and `special_tokens_map.json` add.
 *
 * @returns undefined if the directory has none of these files
 * @throws UnsupportedError if the directory has only a SentencePiece model
 * @throws FormatError if a file is damaged
 */
export async function readVocabulary(directory: string): Promise<Vocabulary | undefined> {
  const read = async (name: string) => (await readExactJson(join(directory, name))) ?? {};
  const document = await readPlainJson(join(directory, "tokenizer.json"));
  const settings = await read("tokenizer_config.json");
  const ids = document === undefined ? await readPlainVocabulary(directory) : idsOf(directory, document);
  if (ids === undefined) return undefined;
  const added = new Map<string, AddedToken>();
  for (const token of addedTokensOf(directory, document, settings)) addAt(ids, added, token);
  addOlderTokens(ids, added, await read("added_tokens.json"));
  for (const content of [settings, await read("special_tokens_map.json")].flatMap(specialTokensOf)) {
    if (added.has(content)) continue;
    addAt(ids, added, createAddedToken(ids.get(content) ?? nextId(ids), content, true));
  }
  for (const [token, id] of ids) assertId(directory, token, id);
  return {
    directory,
    ids,
    document,
    settings,
    added: [...added.values()].sort((a, b) => a.id - b.id),
    size: vocabularySizeOf(await readModelConfig(directory)) ?? nextId(ids),
  };
}

/** Adds the tokens of `added_tokens.json`, which older tokenizers have. */
function addOlderTokens(
  ids: Map<string, number>,
  added: Map<string, AddedToken>,
  older: Readonly<Record<string, unknown>>,
): void {
  for (const [content, id] of Object.entries(older)) {
    if (typeof id === "number" && !ids.has(content)) addAt(ids, added, createAddedToken(id, content));
  }
}

/** Creates an added token with the settings that the Python library tokenizers gives to a plain string. */
export function createAddedToken(id: number, content: string, special = false): AddedToken {
  return {
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: !special,
    special,
  };
}

/** Returns the first id after all that are in use. */
export function nextId(ids: ReadonlyMap<string, number>): number {
  let next = 0;
  for (const id of ids.values()) next = Math.max(next, id + 1);
  return next;
}

function addAt(ids: Map<string, number>, added: Map<string, AddedToken>, token: AddedToken): void {
  const id = ids.get(token.content) ?? token.id;
  ids.set(token.content, id);
  added.set(token.content, id === token.id ? token : { ...token, id });
}

/** Lists the tokens of `tokenizer.json`: an object of ids, or for Unigram a list of tokens and scores. */
function idsOf(directory: string, { model }: ModelConfig): Map<string, number> {
  const vocabulary = isRecord(model) ? model["vocab"] : undefined;
  if (Array.isArray(vocabulary)) {
    return new Map(vocabulary.map((item, id) => [tokenOf(directory, item), id]));
  }
  if (isRecord(vocabulary)) return new Map(Object.entries(vocabulary) as [string, number][]);
  throw new FormatError(
    `Cannot read "${join(directory, "tokenizer.json")}" as it must have model.vocab, an object or a list: it has ${vocabulary === undefined ? "none" : typeof vocabulary}`,
    { format: "tokenizer.json" },
  );
}

async function readPlainVocabulary(directory: string): Promise<Map<string, number> | undefined> {
  const vocabulary = await readPlainJson(join(directory, "vocab.json"));
  if (vocabulary !== undefined) return new Map(Object.entries(vocabulary) as [string, number][]);
  const path = join(directory, "vocab.txt");
  if (await exists(path)) {
    const text = new TextDecoder().decode(await readFileBytes(path, MAX_VOCABULARY_BYTES, directory));
    const lines = text.replace(/\r?\n$/, "").split(/\r?\n/);
    return new Map(lines.map((token, id) => [token, id]));
  }
  const pieces = await findPieces(directory);
  if (pieces === undefined) return undefined;
  throw new UnsupportedError(
    `Cannot read the vocabulary of "${directory}" as its tokens must be in tokenizer.json, vocab.json or vocab.txt: they are in ${pieces} only; make tokenizer.json in Python (packages transformers and sentencepiece): AutoTokenizer.from_pretrained("${directory}").save_pretrained("${directory}"); or, if all networks have the rows of the base, set tokenizer: { source: base }`,
    { feature: pieces },
  );
}

/**
 * Lists the added tokens of `tokenizer.json`, followed by those only in `tokenizer_config.json` by rising id.
 */
function addedTokensOf(
  directory: string,
  document: ModelConfig | undefined,
  settings: ModelConfig,
): readonly AddedToken[] {
  const listed = document?.["added_tokens"];
  const first = (Array.isArray(listed) ? listed : []).map((item) => addedTokenOf(directory, item));
  const decoder = settings["added_tokens_decoder"];
  const more = Object.entries(isRecord(decoder) ? decoder : {}).map(([id, item]) =>
    addedTokenOf(directory, isRecord(item) ? { ...item, id: Number(id) } : item),
  );
  const contents = new Set(first.map(({ content }) => content));
  const missing = more.filter(({ content }) => !contents.has(content)).sort((a, b) => a.id - b.id);
  return [...first, ...missing];
}

function addedTokenOf(directory: string, item: unknown): AddedToken {
  if (isRecord(item) && typeof item["content"] === "string" && typeof item["id"] === "number") {
    const isSet = (key: string) => item[key] === true;
    return {
      id: item["id"],
      content: item["content"],
      single_word: isSet("single_word"),
      lstrip: isSet("lstrip"),
      rstrip: isSet("rstrip"),
      normalized: isSet("normalized"),
      special: isSet("special"),
    };
  }
  throw new FormatError(
    `Cannot read the added tokens of "${directory}" as every one must have an id and a content: ${excerpt(item)}`,
    { format: "tokenizer.json" },
  );
}

const SPECIAL_TOKENS = ["bos", "eos", "unk", "sep", "pad", "cls", "mask"].map((name) => `${name}_token`);
const MORE_SPECIAL_TOKENS = ["additional_special_tokens", "extra_special_tokens"];

/** Returns the token in an item of a list. The item is the token, or a pair of the token and its score. */
function tokenOf(directory: string, item: unknown): string {
  const token = Array.isArray(item) ? item[0] : item;
  if (typeof token === "string") return token;
  throw new FormatError(
    `Cannot read "${join(directory, "tokenizer.json")}" as every item of model.vocab must be a token, or a token and its score: one is ${excerpt(item)}`,
    { format: "tokenizer.json" },
  );
}

function specialTokensOf(settings: ModelConfig): readonly string[] {
  const single = SPECIAL_TOKENS.map((key) => settings[key]);
  const more = MORE_SPECIAL_TOKENS.flatMap((key) => {
    const list = settings[key];
    return isRecord(list) ? Object.values(list) : Array.isArray(list) ? list : [];
  });
  return [...single, ...more].flatMap((token) => {
    const content = isRecord(token) ? token["content"] : token;
    return typeof content === "string" && content !== "" ? [content] : [];
  });
}

function assertId(directory: string, token: string, id: unknown): void {
  if (typeof id === "number" && Number.isInteger(id) && id >= 0 && id <= MAX_TOKEN_ID) return;
  throw new InputError(
    `Cannot read the vocabulary of "${directory}" as ids must be whole numbers from 0 to ${MAX_TOKEN_ID}: ${excerpt(token)} has ${excerpt(id)}`,
    { input: directory },
  );
}
