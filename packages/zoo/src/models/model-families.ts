import { BERT } from "./families/bert.ts";
import { GPT_NEOX } from "./families/gpt-neox.ts";
import { GPT2 } from "./families/gpt2.ts";
import { LLAMA, MISTRAL, QWEN2 } from "./families/llama.ts";
import { VIT } from "./families/vit.ts";
import type { ModelFamily } from "./model-family.ts";

/** Values of `model_type` that networks can be built for. */
export const MODEL_TYPES = ["llama", "mistral", "qwen2", "gpt2", "gpt_neox", "bert", "vit"] as const;

/** One of {@link MODEL_TYPES}. */
export type ModelType = (typeof MODEL_TYPES)[number];

/** Families by `model_type`. */
export const MODEL_FAMILIES: Readonly<Record<ModelType, ModelFamily>> = {
  llama: LLAMA,
  mistral: MISTRAL,
  qwen2: QWEN2,
  gpt2: GPT2,
  gpt_neox: GPT_NEOX,
  bert: BERT,
  vit: VIT,
};
