import { readJsonFile } from "@isthmus/core";
import type { TextObjective } from "@isthmus/data";
import { join, stat } from "@isthmus/platform";
import type { ConfigNetwork } from "./network-of-config.ts";

/** Texts of masks in tokenizers of published models. */
const MASKS: readonly unknown[] = ["[MASK]", "<mask>"];

/** Largest tokenizer, in bytes, that is searched for a mask. */
const LARGEST = 2 ** 26;

/**
 * Returns the tokens of a text that a model predicts; undefined if it predicts each from those before it, has
 * no logits of words, or is trained on masked tokens and its folder says nothing of a mask.
 * @param folder - folder of the model, with `tokenizer.json` or `vocab.json`
 */
export async function readTextObjective(
  { graph, predicts, vocabularySize }: Pick<ConfigNetwork, "graph" | "predicts" | "vocabularySize">,
  folder: string,
): Promise<TextObjective | undefined> {
  const shape = graph.outputs.find(({ name }) => name === "logits")?.shape ?? [];
  const areWords = shape.length === 3 && shape[2] === vocabularySize;
  if (predicts?.kind === "paired") return predicts;
  if (predicts === undefined || !areWords) return undefined;
  if (predicts.kind === "continued") return predicts;
  const token = await readMask(folder);
  return token === undefined ? undefined : { kind: "masked", token };
}

/** Reads the id of the mask from the tokens that were added to a tokenizer, or from a vocabulary. */
async function readMask(folder: string): Promise<number | undefined> {
  const added = fieldOf(await readIfThere(join(folder, "tokenizer.json")), "added_tokens");
  const tokens: readonly unknown[] = Array.isArray(added) ? added : [];
  const mask = tokens.find((token) => MASKS.includes(fieldOf(token, "content")));
  const vocabulary = mask === undefined ? await readIfThere(join(folder, "vocab.json")) : undefined;
  const ids = [fieldOf(mask, "id"), ...MASKS.map((text) => fieldOf(vocabulary, String(text)))];
  return ids.find((id): id is number => Number.isSafeInteger(id));
}

function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}

async function readIfThere(path: string): Promise<unknown> {
  const stats = await stat(path).catch(() => undefined);
  return stats?.isFile() && stats.size <= LARGEST ? readJsonFile(path) : undefined;
}
