import { isWindowed, type WindowRule } from "../layer-masks.ts";
import { type LlamaKind, llamaFamily, type RotaryOf, type Scoring } from "../llama-family.ts";
import type { ModelConfig } from "../model-config.ts";
import type { FamilyContext, ModelFamily } from "../model-family.ts";
import { modelRotary } from "../model-rotary.ts";

/** Differences of all versions of Gemma from Llama. */
const GEMMA_KIND = {
  norm: { offset: 1 },
  factors: (config) => ({ embedding: Math.sqrt(config.count("hidden_size")) }),
} satisfies Partial<LlamaKind>;

/** Rule for layers of Gemma 2 that see a window: the first, the third, and so on. */
const EVERY_OTHER: WindowRule = { field: "sliding_window_pattern", period: 2 };

/** Rule for layers of Gemma 3 that see a window: five of six. */
const FIVE_OF_SIX: WindowRule = { field: "sliding_window_pattern", period: 6 };

const GEMMA_TEXT = llamaFamily({
  ...GEMMA_KIND,
  windows: "asked",
});

/** Gemma, of version 1. @see Gemma Team, Gemma: open models, 2024, section 2 */
export const GEMMA: ModelFamily = {
  ...GEMMA_TEXT,
  build: ({ config, ...context }) => {
    // Published configs say "gelu", but the models were trained with the approximation.
    const isPlain = config.text("hidden_act") === "gelu";
    const trained = isPlain ? config.with({ hidden_act: "gelu_pytorch_tanh" }) : config;
    return GEMMA_TEXT.build({ ...context, config: trained });
  },
};

/**
 * Gemma 2: every other layer sees a window, and scores and logits are bounded.
 * @see Gemma Team, Gemma 2, 2024, section 2
 */
export const GEMMA2: ModelFamily = llamaFamily({
  ...GEMMA_KIND,
  windows: EVERY_OTHER,
  activation: "hidden_activation",
  normPlaces: () => "around",
  scoring,
});

/**
 * The text model of Gemma 3: queries and keys of heads are normalised, and layers that see a window have
 * their own rotary positions. @see Gemma Team, Gemma 3 technical report, 2025, section 2
 */
export const GEMMA3: ModelFamily = llamaFamily({
  ...GEMMA_KIND,
  windows: FIVE_OF_SIX,
  activation: "hidden_activation",
  normPlaces: () => "around",
  headNorms: () => "shared",
  scoring,
  rotary: localRotary,
});

/** Gemma 3 with images, whose network of texts is built. @see Gemma Team, Gemma 3 technical report, 2025 */
export const GEMMA3_IMAGES: ModelFamily = {
  ...GEMMA3,
  withImages: {
    entries: [[/mm_input_projection_weight$/, 1]],
  },
  idle: /(vision_tower|multi_modal_projector)\./,
};

function scoring(config: ModelConfig): Scoring {
  return {
    scale: 1 / Math.sqrt(config.positive("query_pre_attn_scalar")),
    cap: config.optionalNumber("attn_logit_softcapping"),
    logitCap: config.optionalNumber("final_logit_softcapping"),
  };
}

/** Returns rotary positions by layer: slow rotations for layers that see the whole text, else fast ones. */
function localRotary(context: FamilyContext, inner: number): RotaryOf {
  const whole = modelRotary(context, {
    inner,
    base: "rope_theta",
    layers: "full_attention",
  });
  const local = modelRotary(context, {
    inner,
    base: "rope_local_base_freq",
    layers: "sliding_attention",
    scaled: false,
  });
  return (layer) => (isWindowed(context.config, FIVE_OF_SIX, layer) ? local : whole);
}
