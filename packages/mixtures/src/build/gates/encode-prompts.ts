import { excerpt, InputError, readJsonFile } from "@isthmus/core";
import { join, stat } from "@isthmus/platform";
import { openTokenizer, readTextEncoding } from "@isthmus/zoo";
import type { DenseModel } from "../dense-model.ts";

/** Function from a prompt to its token ids, at least one. */
export type EncodePrompt = (prompt: string) => Int32Array;

/**
 * Opens the encoder of prompts of a model: its tokenizer, or its table of characters. If the tokenizer has a
 * token that begins texts, each prompt begins with it; no other token is added.
 *
 * Source: mergekit 0.1.5, `mergekit.moe.router.tokenize_prompts`.
 * @throws InputError if the model has no tokenizer; later, if a prompt has no token or one that the model
 *   lacks
 */
export async function openPromptEncoder({ directory, vocabulary }: DenseModel): Promise<EncodePrompt> {
  const { vocabulary: characters } = await readTextEncoding(directory);
  const encode =
    characters === undefined
      ? await openTokenizer(directory)
      : (text: string) => encodeCharacters(text, characters);
  const begin = await readBeginToken(directory);
  return (prompt) => {
    const ids = encode(begin + prompt);
    const beyond = ids.find((id) => !(id >= 0 && id < vocabulary));
    if (ids.length > 0 && beyond === undefined) return ids;
    const why =
      beyond === undefined ? "it has none" : `one is ${beyond}, and the base has ${vocabulary} rows`;
    throw new InputError(
      `Cannot make gates of the prompt ${excerpt(prompt)} as it must have tokens that the base "${directory}" has: ${why}`,
      { input: directory },
    );
  };
}

function encodeCharacters(text: string, ids: ReadonlyMap<string, number>): Int32Array {
  return Int32Array.from(text, (character) => ids.get(character) ?? -1);
}

/** Reads the token that begins texts; the empty text if the tokenizer has none. */
async function readBeginToken(directory: string): Promise<string> {
  for (const name of ["tokenizer_config.json", "special_tokens_map.json"]) {
    const path = join(directory, name);
    if (!(await stat(path).catch(() => undefined))?.isFile()) continue;
    const settings = (await readJsonFile(path)) as { readonly bos_token?: unknown } | null;
    const token = settings?.bos_token;
    const content = (token as { readonly content?: unknown } | null | undefined)?.content;
    for (const text of [token, content]) if (typeof text === "string") return text;
  }
  return "";
}
