import { at } from "@isthmus/core";
import { argMax, cast, equal, matMul, reshape, unsqueeze, type Value } from "@isthmus/graph/builder";
import { normalWeight } from "../../initializer.ts";
import { causalMask } from "../../layers/attention.ts";
import { linear } from "../../layers/linear.ts";
import { rowNorm } from "../../layers/row-norm.ts";
import { firstTokens } from "../encoder-heads.ts";
import type { ModelConfig } from "../model-config.ts";
import type { FamilyContext, FamilyOutputs, ModelFamily } from "../model-family.ts";
import {
  compareTowers,
  EMBEDDINGS,
  imageInput,
  imageTower,
  narrowTower,
  narrowTowers,
  pairInputs,
  type Tower,
  textInput,
  textTower,
  towerConfig,
} from "../two-towers.ts";

/**
 * CLIP, a tower of images and a tower of texts whose embeddings are compared: an image and its text are to be
 * alike among the pairs of an example. @see Radford et al., Learning transferable visual models from natural
 * language supervision, 2021, section 2.3
 */
export const CLIP: ModelFamily = {
  build(context) {
    const { config } = context;
    const [vision, text] = [towerConfig(config, "vision", "clip"), towerConfig(config, "text", "clip")];
    const { images, texts } = pairInputs(context, vision);
    const out = config.count("projection_dim");
    const image = poolImages(context, { config: vision, input: images, prefix: "vision_model." });
    const spoken = poolTexts(context, { config: text, input: texts, prefix: "text_model." });
    const embeddings = {
      images: project(context, image.pooled, "visual_projection", out),
      texts: project(context, spoken.pooled, "text_projection", out),
    };
    return compareTowers(context, embeddings, []);
  },
  narrow: (config) => ({
    ...narrowTowers(config, "clip"),
    projection_dim: Math.min(config.count("projection_dim"), 8),
  }),
  predicts: () => ({ kind: "paired" }),
  loss: () => {
    const half = { loss: "cross-entropy", targets: "pair", weight: 0.5 } as const;
    return { logits_per_image: half, logits_per_text: half };
  },
  uncounted: EMBEDDINGS,
  maxLength: (config) => towerConfig(config, "text", "clip").count("max_position_embeddings"),
  idle: /position_ids$/,
};

/** The tower of texts of CLIP, with or without the projection to the embedding, as in diffusion models. */
export const CLIP_TEXT: ModelFamily = {
  build(context) {
    const prefix = prefixOf(context, "text_model.", "embeddings.token_embedding.weight");
    const tower = { config: context.config, input: textInput(context), prefix };
    return towerOutputs(context, poolTexts(context, tower), ["text_projection", "text_embeds"]);
  },
  narrow: (config) => narrowTower(config, "text"),
  maxLength: (config) => config.count("max_position_embeddings"),
  idle: /position_ids$/,
};

/** The tower of images of CLIP, with or without the projection to the embedding. */
export const CLIP_VISION: ModelFamily = {
  build(context) {
    const prefix = prefixOf(context, "vision_model.", "embeddings.class_embedding");
    const { config } = context;
    const tower = { config, input: imageInput(context, config), prefix };
    return towerOutputs(context, poolImages(context, tower), ["visual_projection", "image_embeds"]);
  },
  narrow: (config) => narrowTower(config, "vision"),
  idle: /position_ids$/,
};

/** Rows of a tower, and the one that stands for the whole image or text. */
interface Pooled {
  /** Rows of tokens, `[N, length, width]`. */
  readonly hidden: Value;
  /** Rows of images or texts, `[N, width]`. */
  readonly pooled: Value;
}

function prefixOf({ has }: FamilyContext, prefix: string, name: string): string {
  return has?.(name) ? "" : prefix;
}

function towerOutputs(
  context: FamilyContext,
  { hidden, pooled }: Pooled,
  [projection, output]: readonly [string, string],
): FamilyOutputs {
  const { has, config } = context;
  if (!has?.(`${projection}.weight`)) return { hidden, pooled };
  return { [output]: project(context, pooled, projection, config.count("projection_dim")) };
}

function project({ network }: FamilyContext, rows: Value, name: string, out: number): Value {
  return linear(network, rows, name, { out, initializer: normalWeight(0.02), bias: false });
}

function poolImages(context: FamilyContext, tower: Tower): Pooled {
  const { network } = context;
  const { rows, length } = imageTower(context, tower, true);
  const first = firstTokens({ ...context, length }, rows);
  const epsilon = tower.config.share("layer_norm_eps");
  const pooled = rowNorm(network, first, `${tower.prefix}post_layernorm`, epsilon);
  return { hidden: reshape(rows, [-1, length, at(rows.shape, 1, "axis")]), pooled };
}

/**
 * Adds the tower of texts, in which tokens see earlier ones, and takes the row of the token that ends a text.
 */
function poolTexts(context: FamilyContext, tower: Tower): Pooled {
  const { graph } = context.network;
  const { input: ids, config } = tower;
  const length = at(ids.shape, 1, "axis");
  const mask = graph.numbers(causalMask(length), "f32", [length, length]);
  const { rows } = textTower(context, tower, mask);
  const width = at(rows.shape, 1, "axis");
  const hidden = reshape(rows, [-1, length, width]);
  const places = graph.ints(Array.from({ length }, (_, place) => place));
  const isEnd = cast(equal(unsqueeze(endOf(config, ids), [1]), places), "f32");
  return { hidden, pooled: reshape(matMul(unsqueeze(isEnd, [1]), hidden), [-1, width]) };
}

/** Value of `eos_token_id` in configs that were published first, which is not the token that ends texts. */
const WRONG_END = 2;

/** Returns the place of the first token that ends a text, `[N]`; older configs mean the largest id. */
function endOf(config: ModelConfig, ids: Value): Value {
  const end = config.index("eos_token_id");
  return argMax(cast(end === WRONG_END ? ids : equal(ids, end), "f32"), 1);
}
