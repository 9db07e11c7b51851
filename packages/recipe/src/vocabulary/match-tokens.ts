import { at, InvariantError } from "@isthmus/core";
import { isRecord } from "../models/model-parts.ts";
import { nextId, type Vocabulary } from "../models/read-vocabulary.ts";
import { keysOfTokens, type TokenKey } from "./token-keys.ts";

/** The tokens of a new vocabulary, each with the row of the model that it takes over. */
export interface TokenMatches {
  /** `[tokens]`: row of the model for each token of the new vocabulary; -1 if the model has no such token. */
  readonly rows: Int32Array;
  /** A token of each id; undefined at an id that no token has. */
  readonly tokens: readonly (string | undefined)[];
  /** Keys of the new tokens, by token. */
  readonly keys: ReadonlyMap<string, TokenKey>;
  /** Rows of the model by the keys of its tokens. */
  readonly rowsByKey: ReadonlyMap<string, number>;
}

/**
 * Finds for each token of a new vocabulary the same token of a model: by the bytes of its text, and for a
 * special token by its content, otherwise by its role, such as the end of a text.
 *
 * Differs from mergekit 0.1.5, where tokens with a role match by role alone, even if the model has the same
 * token in another role.
 */
export function matchTokens(model: Vocabulary, fresh: Vocabulary): TokenMatches {
  const rowsByKey = indexRows(model);
  const keys = keysOfTokens(fresh);
  const roles = matchRoles(model, fresh);
  const count = nextId(fresh.ids);
  const rows = new Int32Array(count).fill(-1);
  const tokens = Array<string | undefined>(count).fill(undefined);
  for (const [token, id] of fresh.ids) {
    const key = keys.get(token)?.key ?? token;
    tokens[id] ??= token;
    if (at(rows, id) < 0) rows[id] = rowsByKey.get(key) ?? roles.get(token) ?? -1;
  }
  return { rows, tokens, keys, rowsByKey };
}

/** Returns the token of an id that has one. */
export function tokenAt({ tokens }: Pick<TokenMatches, "tokens">, id: number): string {
  const token = at(tokens, id, "token");
  if (token !== undefined) return token;
  throw new InvariantError(`Id ${id} has no token`);
}

/** Lists rows by key; tokens whose id lies beyond the embedding have none. */
function indexRows(model: Vocabulary): ReadonlyMap<string, number> {
  const keys = keysOfTokens(model);
  const rows = new Map<string, number>();
  const sorted = [...model.ids].sort((a, b) => a[1] - b[1]);
  for (const isByte of [false, true]) {
    for (const [token, id] of sorted) {
      const key = keys.get(token);
      if (key === undefined || key.isByte !== isByte || id >= model.size || rows.has(key.key)) continue;
      rows.set(key.key, id);
    }
  }
  return rows;
}

const ROLES = ["bos_token", "eos_token", "unk_token", "pad_token", "sep_token", "cls_token", "mask_token"];

/** Finds the rows of the model's special tokens of the same roles, by the new special tokens. */
function matchRoles(model: Vocabulary, fresh: Vocabulary): ReadonlyMap<string, number> {
  const rows = new Map<string, number>();
  for (const role of ROLES) {
    const [old, token] = [contentOf(model.settings[role]), contentOf(fresh.settings[role])];
    const row = old === undefined ? undefined : model.ids.get(old);
    if (token === undefined || row === undefined || row >= model.size || rows.has(token)) continue;
    rows.set(token, row);
  }
  return rows;
}

function contentOf(token: unknown): string | undefined {
  const content = isRecord(token) ? token["content"] : token;
  return typeof content === "string" ? content : undefined;
}
