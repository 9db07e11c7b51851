import type { PartConfig, ShapeFacts } from "./configs/facts.ts";
import { clipConfig, t5Config } from "./configs/text-configs.ts";
import { fluxConfig, stableDiffusion3Config } from "./configs/transformer-configs.ts";
import { unetConfig } from "./configs/unet-config.ts";
import { vaeConfig } from "./configs/vae-config.ts";
import { expandTable, type NameRow, type NameTable, type Side } from "./name-table.ts";
import { FLUX } from "./tables/flux.ts";
import { STABLE_DIFFUSION_3 } from "./tables/stable-diffusion-3.ts";
import { CLIP, OPEN_CLIP, T5 } from "./tables/text-encoders.ts";
import { unetRows } from "./tables/unet.ts";
import { vaeRows } from "./tables/vae.ts";

/** A kind of network that is a part of a pipeline, with its names in both layouts. */
export interface NetworkKind {
  /** Words for it in messages. */
  readonly name: string;
  /** Tensors whose presence shows that a file holds such a network, by the side of the table. */
  readonly mark: Readonly<Record<Side, string>>;
  /** Lists the tensors that a network with such names must have, or may have. */
  readonly rows: (names: readonly string[], side: Side) => readonly NameRow[];
  /** Makes its config.json from the shapes of its tensors. */
  readonly config: (facts: ShapeFacts) => PartConfig;
  /** Name of its file of weights in diffusers, without the ending. */
  readonly file: "diffusion_pytorch_model" | "model";
  /** Earlier names in diffusers and what they are now, as patterns of parts of names. */
  readonly earlier?: readonly (readonly [RegExp, string])[];
}

const fromTable = (table: NameTable) => (names: readonly string[], side: Side) =>
  expandTable(table, names, side);

/** The U-Net of Stable Diffusion 1 and XL. */
export const UNET_KIND: NetworkKind = {
  name: "U-Net",
  mark: { original: "input_blocks.0.0.weight", diffusers: "conv_in.weight" },
  rows: unetRows,
  config: unetConfig,
  file: "diffusion_pytorch_model",
};

/** The transformer of Flux. */
export const FLUX_KIND: NetworkKind = {
  name: "transformer of Flux",
  mark: {
    original: "double_blocks.0.img_attn.qkv.weight",
    diffusers: "single_transformer_blocks.0.proj_mlp.weight",
  },
  rows: fromTable(FLUX),
  config: fluxConfig,
  file: "diffusion_pytorch_model",
};

/** The transformer of Stable Diffusion 3. */
export const STABLE_DIFFUSION_3_KIND: NetworkKind = {
  name: "transformer of Stable Diffusion 3",
  mark: { original: "joint_blocks.0.x_block.attn.qkv.weight", diffusers: "pos_embed.proj.weight" },
  rows: fromTable(STABLE_DIFFUSION_3),
  config: stableDiffusion3Config,
  file: "diffusion_pytorch_model",
};

/** The autoencoder between images and latents. */
export const VAE_KIND: NetworkKind = {
  name: "autoencoder (VAE)",
  mark: {
    original: "decoder.up.0.block.0.conv1.weight",
    diffusers: "decoder.up_blocks.0.resnets.0.conv1.weight",
  },
  rows: vaeRows,
  config: vaeConfig,
  file: "diffusion_pytorch_model",
  earlier: [
    [/\.attentions\.0\.query\./, ".attentions.0.to_q."],
    [/\.attentions\.0\.key\./, ".attentions.0.to_k."],
    [/\.attentions\.0\.value\./, ".attentions.0.to_v."],
    [/\.attentions\.0\.proj_attn\./, ".attentions.0.to_out.0."],
  ],
};

const TOKENS = "text_model.embeddings.token_embedding.weight";

/** Names of CLIP without their first word, which transformers leaves out since version 5. */
const PLAIN_CLIP = [[/^(embeddings|encoder|final_layer_norm)\./, "text_model.$1."]] as const;

/** The text part of CLIP under the names of transformers. */
export const CLIP_KIND: NetworkKind = {
  name: "text encoder (CLIP)",
  mark: { original: TOKENS, diffusers: TOKENS },
  rows: fromTable(CLIP),
  config: clipConfig("quick_gelu"),
  file: "model",
  earlier: PLAIN_CLIP,
};

/** The text part of a larger CLIP, which files of Stable Diffusion 3 have under the names of transformers. */
export const LARGE_CLIP_KIND: NetworkKind = { ...CLIP_KIND, config: clipConfig("gelu") };

/** The text part of OpenCLIP under its own names. */
export const OPEN_CLIP_KIND: NetworkKind = {
  ...LARGE_CLIP_KIND,
  name: "text encoder (OpenCLIP)",
  mark: { original: "token_embedding.weight", diffusers: TOKENS },
  rows: fromTable(OPEN_CLIP),
};

/** The encoder of T5. */
export const T5_KIND: NetworkKind = {
  name: "text encoder (T5)",
  mark: { original: "shared.weight", diffusers: "shared.weight" },
  rows: fromTable(T5),
  config: t5Config,
  file: "model",
};
