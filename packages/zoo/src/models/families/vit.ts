import { UnsupportedError } from "@isthmus/core";
import { add, pad, reshape, slice, transpose, type Value } from "@isthmus/graph/builder";
import { normal, normalWeight, TORCH_DEFAULT } from "../../initializer.ts";
import { convolution } from "../../layers/convolution.ts";
import { linear } from "../../layers/linear.ts";
import { rowNorm } from "../../layers/row-norm.ts";
import { classCount } from "../class-count.ts";
import { modelActivation } from "../model-activation.ts";
import type { ModelConfig } from "../model-config.ts";
import type { FamilyContext, FamilyOutputs, ModelFamily } from "../model-family.ts";
import { encoderAttention } from "./encoder-attention.ts";

/** The vision transformer. @see Dosovitskiy et al., An image is worth 16x16 words, 2021 */
export const VIT: ModelFamily = { build, narrow, idle: /^$/ };

const START = normalWeight(0.02);

function build(context: FamilyContext): FamilyOutputs {
  const { network, config, has } = context;
  config.quotient("hidden_size", "num_attention_heads");
  const prefix = has?.("embeddings.cls_token") ? "" : "vit.";
  const epsilon = config.number("layer_norm_eps", 1e-12);
  const tokens = embed(context, prefix);
  const [, length = 0, width = 0] = tokens.shape;
  let x = reshape(tokens, [-1, width]);
  for (let i = 0; i < config.blocks("num_hidden_layers"); i++) {
    x = addBlock(context, x, `${prefix}encoder.layer.${i}`, { length, epsilon });
  }
  const rows = rowNorm(network, x, `${prefix}layernorm`, epsilon);
  const places = reshape(rows, [-1, length, width]);
  const first = reshape(slice(places, [{ axis: 1, begin: 0, end: 1 }]), [-1, width]);
  const activate = modelActivation(config, "pooler_act", "tanh");
  const pooler = ["vit.pooler.dense", "pooler.dense"].find((name) => has?.(`${name}.weight`));
  const pooled =
    pooler === undefined
      ? {}
      : { pooled: activate(linear(network, first, pooler, { out: width, initializer: START })) };
  if (has !== undefined && !has("classifier.weight")) return { hidden: places, ...pooled };
  const classes = { out: classCount(config), initializer: START };
  return { logits: linear(network, first, "classifier", classes), ...pooled };
}

/** Rows of patches behind a row for the class token, with positions: `[N, 1 + patches, width]`. */
function embed({ network, config }: FamilyContext, prefix: string): Value {
  const width = config.count("hidden_size");
  const [height, across] = config.extents("image_size", 224);
  const [patch, patchWidth] = config.extents("patch_size", 16);
  assertSquare(config, [patch, patchWidth]);
  config.assertDivides(["image_size", height], ["patch_size", patch]);
  config.assertDivides(["image_size", across], ["patch_size", patch]);
  const patches = (height / patch) * (across / patch);
  const images = network.input("x", [config.count("num_channels", 3), height, across]);
  const name = `${prefix}embeddings`;
  const token = network.weight(`${name}.cls_token`, [1, 1, width], normal(0.02));
  const positions = network.weight(`${name}.position_embeddings`, [1, patches + 1, width], normal(0.02));
  const projected = convolution(network, images, `${name}.patch_embeddings.projection`, {
    out: width,
    side: patch,
    stride: patch,
    pad: 0,
    bias: true,
    initializer: TORCH_DEFAULT,
  });
  const rows = transpose(reshape(projected, [-1, width, patches]), [0, 2, 1]);
  const fixed = add(pad(token, [0, 0, 0], [0, patches, 0]), positions);
  return add(pad(rows, [0, 1, 0], [0, 0, 0]), fixed);
}

function assertSquare({ source }: ModelConfig, [height, width]: readonly [number, number]): void {
  if (height === width) return;
  throw new UnsupportedError(
    `Cannot build the network of "${source}" as patches must be square: "patch_size" is [${height}, ${width}]`,
    { feature: "patch_size" },
  );
}

function addBlock(
  context: FamilyContext,
  x: Value,
  name: string,
  { length, epsilon }: { readonly length: number; readonly epsilon: number },
): Value {
  const { network, config } = context;
  const width = x.shape[1] ?? 0;
  const attended = encoderAttention(context, rowNorm(network, x, `${name}.layernorm_before`, epsilon), {
    length,
    heads: config.count("num_attention_heads"),
    inside: `${name}.attention.attention`,
    output: `${name}.attention.output.dense`,
    bias: config.boolean("qkv_bias", true),
  });
  const middle = add(x, attended);
  const rows = rowNorm(network, middle, `${name}.layernorm_after`, epsilon);
  const hidden = { out: config.count("intermediate_size"), initializer: START };
  const activation = modelActivation(config, "hidden_act", "gelu");
  const inner = activation(linear(network, rows, `${name}.intermediate.dense`, hidden));
  return add(middle, linear(network, inner, `${name}.output.dense`, { out: width, initializer: START }));
}

function narrow(config: ModelConfig): Readonly<Record<string, unknown>> {
  const heads = config.count("num_attention_heads");
  const width = config.quotient("hidden_size", "num_attention_heads") * Math.min(heads, 2);
  const patches = config.extents("patch_size", 16);
  const image = config.extents("image_size", 224);
  return {
    hidden_size: width,
    num_attention_heads: Math.min(heads, 2),
    num_hidden_layers: Math.min(config.blocks("num_hidden_layers"), 2),
    intermediate_size: Math.min(config.count("intermediate_size"), 2 * width),
    image_size: image.map((extent, axis) => Math.min(extent, 3 * (patches[axis] ?? extent))),
  };
}
