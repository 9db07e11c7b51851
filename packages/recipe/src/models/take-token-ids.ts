import type { ModelConfig } from "./model-config.ts";
import { isRecord, TEXT_PARTS } from "./model-parts.ts";

/** Keys of ids of special tokens in a config, such as `eos_token_id`. */
const TOKEN_ID = /_token_(id|index)$/;

/**
 * Takes the ids of special tokens, such as `eos_token_id`, from the config of the model whose tokenizer a
 * result gets: each id that the result's config or that config names. A key that only the result has keeps
 * its value.
 */
export function takeTokenIds(config: ModelConfig, donor: ModelConfig): ModelConfig {
  const ids = tokenIdsOf(donor);
  const taken: Record<string, unknown> = { ...config, ...ids };
  for (const key of TEXT_PARTS) {
    const part = config[key];
    if (!isRecord(part)) continue;
    const named = Object.entries(ids).filter(([name]) => name in part);
    taken[key] = { ...part, ...Object.fromEntries(named) };
  }
  return taken;
}

/** Lists the ids of special tokens of a config; its language part counts most. */
function tokenIdsOf(config: ModelConfig): Readonly<Record<string, unknown>> {
  const parts = [config, ...TEXT_PARTS.map((key) => config[key]).filter(isRecord)];
  const ids = parts.flatMap((part) => Object.entries(part).filter(([key]) => TOKEN_ID.test(key)));
  return Object.fromEntries(ids);
}
