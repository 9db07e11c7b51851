import { UnsupportedError } from "@isthmus/core";
import type { ModelConfig } from "./model-config.ts";
import { isRecord } from "./model-parts.ts";
import { type AddedToken, createAddedToken, nextId, type Vocabulary } from "./read-vocabulary.ts";

/**
 * The tokenizer of a merged network: the tokenizer of one directory, from which tokens were removed and to
 * which tokens were added.
 */
export interface MergedTokenizer {
  /** Directory whose files the tokenizer is made from. */
  readonly directory: string;
  /** Position of the embedding of every token. */
  readonly ids: ReadonlyMap<string, number>;
  /** All added tokens, by rising id. */
  readonly added: readonly AddedToken[];
  /** Tokens of the directory that have no embedding and are left out. */
  readonly removed: ReadonlySet<string>;
  /** Whether the tokenizer differs from the files of the directory. */
  readonly changed: boolean;
  /** Content of the directory's `tokenizer.json`; undefined if it has only older files. */
  readonly document: ModelConfig | undefined;
  /** Content of the directory's `tokenizer_config.json`. */
  readonly settings: ModelConfig;
}

/** Returns the tokenizer of a directory without the tokens that lie beyond its embedding. */
export function stripTokenizer({
  ids,
  added,
  size,
  isMerged = false,
  ...files
}: Vocabulary): MergedTokenizer {
  const removed = new Set([...ids].filter(([, id]) => id >= size).map(([token]) => token));
  const { directory, document, settings } = files;
  const changed = isMerged || removed.size > 0;
  const remaining = new Map([...ids].filter(([token]) => !removed.has(token)));
  const addedRemaining = added.filter(({ content }) => !removed.has(content));
  return { directory, document, settings, ids: remaining, added: addedRemaining, removed, changed };
}

/**
 * Adds tokens at the end of a tokenizer; a token that the tokenizer already has keeps its id.
 * @throws UnsupportedError if the tokenizer has ids that no token uses, because the Python library tokenizers
 *   would number new tokens wrongly
 */
export function addTokens(
  tokenizer: MergedTokenizer,
  tokens: readonly (string | Omit<AddedToken, "id">)[],
): MergedTokenizer {
  const ids = new Map(tokenizer.ids);
  const added = new Map(tokenizer.added.map((token) => [token.content, token]));
  let next = nextId(ids);
  const hasGap = new Set(ids.values()).size < next;
  for (const token of tokens) {
    const content = typeof token === "string" ? token : token.content;
    if (added.has(content) || (typeof token === "string" && ids.has(content))) continue;
    const id = ids.get(content) ?? next++;
    if (id === next - 1 && hasGap) throw gapError(tokenizer.directory, ids, content);
    ids.set(content, id);
    added.set(content, typeof token === "string" ? createAddedToken(id, content) : { ...token, id });
  }
  if (ids.size === tokenizer.ids.size && added.size === tokenizer.added.length) return tokenizer;
  return { ...tokenizer, ids, added: [...added.values()].sort((a, b) => a.id - b.id), changed: true };
}

function gapError(directory: string, ids: ReadonlyMap<string, number>, content: string): UnsupportedError {
  const used = new Set(ids.values());
  let gap = 0;
  while (used.has(gap)) gap++;
  return new UnsupportedError(
    `Cannot add ${JSON.stringify(content)} to the tokenizer of "${directory}" as its ids must be 0 to ${nextId(ids) - 1}: no token has ${gap}; use a tokenizer without gaps as source`,
    { feature: "tokenizer with gaps" },
  );
}

/**
 * Writes the `tokenizer.json` of a merged tokenizer.
 * @returns undefined if the tokenizer's directory has no such file; then {@link mergedSettings} names the
 *   added tokens
 */
export function mergedDocument({
  document,
  added,
  removed,
  changed,
}: MergedTokenizer): ModelConfig | undefined {
  if (document === undefined || !changed) return document;
  const { model } = document;
  const smaller = removed.size > 0 && isRecord(model) ? removeTokens(model, removed) : model;
  return { ...document, added_tokens: added, model: smaller };
}

/** Writes the `tokenizer_config.json` of a merged tokenizer. */
export function mergedSettings({ document, settings, added, changed }: MergedTokenizer): ModelConfig {
  if (!changed || (document !== undefined && !("added_tokens_decoder" in settings))) return settings;
  const decoder = Object.fromEntries(added.map(({ id, ...token }) => [id, token]));
  return { ...settings, added_tokens_decoder: decoder };
}

function removeTokens(model: ModelConfig, removed: ReadonlySet<string>): ModelConfig {
  const { vocab, merges } = model;
  const smaller = Array.isArray(vocab)
    ? vocab.filter((item) => !removed.has(Array.isArray(item) ? item[0] : item))
    : Object.fromEntries(Object.entries(vocab as ModelConfig).filter(([token]) => !removed.has(token)));
  if (!Array.isArray(merges)) return { ...model, vocab: smaller };
  // A merge is "left right" or, in newer files, a list of both.
  const keeps = (merge: unknown) => {
    const parts: unknown = typeof merge === "string" ? merge.split(" ") : merge;
    if (!Array.isArray(parts) || parts.length !== 2 || !parts.every((part) => typeof part === "string"))
      return true;
    const [left, right] = parts as [string, string];
    return !removed.has(left) && !removed.has(right) && !removed.has(left + right);
  };
  return { ...model, vocab: smaller, merges: merges.filter(keeps) };
}
