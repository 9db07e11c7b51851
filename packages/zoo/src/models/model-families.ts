import { BERT } from "./families/bert.ts";
import { CLIP, CLIP_TEXT, CLIP_VISION } from "./families/clip.ts";
import { COHERE, COHERE2 } from "./families/cohere.ts";
import { DEEPSEEK2, DEEPSEEK3 } from "./families/deepseek.ts";
import { DEEPSEEK_MOE } from "./families/deepseek-moe.ts";
import { DISTILBERT } from "./families/distilbert.ts";
import { FALCON } from "./families/falcon.ts";
import { GEMMA, GEMMA2, GEMMA3, GEMMA3_IMAGES } from "./families/gemma.ts";
import { GPT_NEOX } from "./families/gpt-neox.ts";
import { GPT2 } from "./families/gpt2.ts";
import { GRANITE } from "./families/granite.ts";
import { LLAMA, MISTRAL } from "./families/llama.ts";
import { MAMBA, MAMBA2 } from "./families/mamba.ts";
import { MIXTRAL } from "./families/mixtral.ts";
import { MODERNBERT } from "./families/modernbert.ts";
import { OLMO2 } from "./families/olmo2.ts";
import { PHI } from "./families/phi.ts";
import { PHI3 } from "./families/phi3.ts";
import { QWEN2, QWEN2_IMAGES, QWEN3, QWEN3_IMAGES } from "./families/qwen.ts";
import { QWEN2_MOE, QWEN3_MOE } from "./families/qwen-moe.ts";
import { ROBERTA } from "./families/roberta.ts";
import { SIGLIP, SIGLIP_TEXT, SIGLIP_VISION } from "./families/siglip.ts";
import { STABLELM } from "./families/stablelm.ts";
import { STARCODER2 } from "./families/starcoder2.ts";
import { T5 } from "./families/t5.ts";
import { CONDITIONAL_UNET, UNET } from "./families/unet.ts";
import { VIT } from "./families/vit.ts";
import { WHISPER } from "./families/whisper.ts";
import type { ModelFamily } from "./model-family.ts";
import type { ModelType } from "./model-types.ts";

/** Families by `model_type` or `_class_name`. */
export const MODEL_FAMILIES: Readonly<Record<ModelType, ModelFamily>> = {
  llama: LLAMA,
  mistral: MISTRAL,
  mixtral: MIXTRAL,
  qwen2: QWEN2,
  qwen3: QWEN3,
  qwen2_moe: QWEN2_MOE,
  qwen3_moe: QWEN3_MOE,
  qwen2_vl: QWEN2_IMAGES,
  qwen2_5_vl: QWEN2_IMAGES,
  qwen3_vl: QWEN3_IMAGES,
  gemma: GEMMA,
  gemma2: GEMMA2,
  gemma3_text: GEMMA3,
  gemma3: GEMMA3_IMAGES,
  phi: PHI,
  phi3: PHI3,
  granite: GRANITE,
  olmo2: OLMO2,
  stablelm: STABLELM,
  starcoder2: STARCODER2,
  cohere: COHERE,
  cohere2: COHERE2,
  falcon: FALCON,
  deepseek: DEEPSEEK_MOE,
  deepseek_v2: DEEPSEEK2,
  deepseek_v3: DEEPSEEK3,
  mamba: MAMBA,
  mamba2: MAMBA2,
  gpt2: GPT2,
  gpt_neox: GPT_NEOX,
  bert: BERT,
  roberta: ROBERTA,
  "xlm-roberta": ROBERTA,
  distilbert: DISTILBERT,
  modernbert: MODERNBERT,
  t5: T5,
  whisper: WHISPER,
  clip: CLIP,
  clip_text_model: CLIP_TEXT,
  clip_vision_model: CLIP_VISION,
  siglip: SIGLIP,
  siglip_text_model: SIGLIP_TEXT,
  siglip_vision_model: SIGLIP_VISION,
  vit: VIT,
  UNet2DModel: UNET,
  UNet2DConditionModel: CONDITIONAL_UNET,
};
