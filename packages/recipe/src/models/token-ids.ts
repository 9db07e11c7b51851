import type { ModelConfig } from "./model-config.ts";
import { isRecord } from "./model-parts.ts";
import type { VocabularyPlan } from "./vocabulary-plan.ts";

/**
 * Renumbers the ids of special tokens in a `config.json` or `generation_config.json` of the base to the ids
 * of the result. A token that the result lacks is left out. Differs from mergekit, which keeps the ids of the
 * base.
 * @returns the config, and a line for each key that is left out
 */
export function renumberTokenIds(
  config: ModelConfig,
  plan: VocabularyPlan,
): { readonly config: ModelConfig; readonly notes: readonly string[] } {
  const network = plan.networks[plan.base ?? 0];
  if (network === undefined) return { config, notes: [] };
  const tokens = new Map([...network.ids].map(([token, id]) => [id, token]));
  const notes: string[] = [];
  const renumber = (id: unknown): unknown => {
    const token = typeof id === "number" ? tokens.get(id) : undefined;
    // Ids without a token, such as -1 or the id of a padding row, have no counterpart in the result.
    return token === undefined ? id : plan.tokenizer.ids.get(token);
  };
  const renumberValue = (key: string, value: unknown): unknown => {
    if (isRecord(value)) return renumberAll(value);
    if (!/_token_(id|index)$/.test(key)) return value;
    if (Array.isArray(value)) return value.map(renumber).filter((id) => id !== undefined);
    const id = renumber(value);
    if (id === undefined) notes.push(`${key} is left out as the result has no such token`);
    return id;
  };
  // Undefined values are not written as JSON.
  const renumberAll = (part: ModelConfig): ModelConfig =>
    Object.fromEntries(Object.entries(part).map(([key, value]) => [key, renumberValue(key, value)]));
  return { config: renumberAll(config), notes };
}
