import type { TensorInfo } from "@isthmus/core";
import type { Settings } from "./configs/facts.ts";
import {
  CLIP_KIND,
  FLUX_KIND,
  LARGE_CLIP_KIND,
  type NetworkKind,
  OPEN_CLIP_KIND,
  STABLE_DIFFUSION_3_KIND,
  T5_KIND,
  UNET_KIND,
  VAE_KIND,
} from "./networks.ts";

/** A network of a pipeline: its folder in diffusers, and its place in a single file. */
export interface PipelinePart {
  /** Name of the folder. */
  readonly folder: string;
  /** Kind of the network. */
  readonly kind: NetworkKind;
  /** Beginnings of its names in a single file; the first one is written. */
  readonly prefixes: readonly string[];
  /** Beginning of its names in a file that has no other network; undefined if there are no such files. */
  readonly alone?: string;
  /** Library and class that `model_index.json` names. */
  readonly loads: readonly [library: string, className: string];
  /** Settings that shapes do not tell, and that all models of the architecture share. */
  readonly settings?: Settings;
}

/** A family of models that are stored as one file or as a folder of diffusers. */
export interface DiffusionArchitecture {
  /** Name for messages and results. */
  readonly name: string;
  /** Class of the pipeline in diffusers. */
  readonly pipeline: string;
  /**
   * Tells the architecture from others with the same main network, by names in a single file, or by names in
   * folders of diffusers such as `unet/conv_in.weight`, and by numbers of axes.
   */
  readonly fits?: (
    has: (pattern: RegExp) => boolean,
    axesOf: (pattern: RegExp) => number | undefined,
  ) => boolean;
  /** Networks, the main one first. */
  readonly parts: readonly PipelinePart[];
  /** Config of the scheduler that the models were trained for. */
  readonly scheduler: Settings;
  /** Settings of the pipeline in `model_index.json`. */
  readonly pipelineSettings?: Settings;
  /** Folders of tokenizers, which no weights tell, with their classes. */
  readonly tokenizers: Readonly<Record<string, string>>;
}

const UNET = {
  folder: "unet",
  kind: UNET_KIND,
  prefixes: ["model.diffusion_model.", ""],
  alone: "model.diffusion_model.",
  loads: ["diffusers", "UNet2DConditionModel"],
} as const;

const vae = (settings: Settings, prefixes = ["first_stage_model.", "vae."]): PipelinePart => ({
  folder: "vae",
  kind: VAE_KIND,
  prefixes,
  alone: "",
  loads: ["diffusers", "AutoencoderKL"],
  settings,
});

type TextEncoder = readonly [folder: string, kind: NetworkKind, prefix: string, className: string];

const textEncoder = ([folder, kind, prefix, className]: TextEncoder): PipelinePart => ({
  folder,
  kind,
  prefixes: [prefix],
  loads: ["transformers", className],
});

const CLIP = "CLIPTextModel";
const PROJECTED = "CLIPTextModelWithProjection";

const LATENT_SCHEDULER = {
  beta_end: 0.012,
  beta_schedule: "scaled_linear",
  beta_start: 0.00085,
  num_train_timesteps: 1000,
  steps_offset: 1,
};

const XL = {
  scheduler: { _class_name: "EulerDiscreteScheduler", ...LATENT_SCHEDULER, timestep_spacing: "leading" },
  vae: vae({ force_upcast: true, sample_size: 1024, scaling_factor: 0.13025 }),
};

/**
 * All architectures. The first that fits a file is taken.
 *
 * Source of the settings: the configs that the makers of the models publish in the layout of diffusers.
 */
export const ARCHITECTURES: readonly DiffusionArchitecture[] = [
  {
    name: "Flux",
    pipeline: "FluxPipeline",
    parts: [
      {
        folder: "transformer",
        kind: FLUX_KIND,
        prefixes: ["model.diffusion_model.", ""],
        alone: "",
        loads: ["diffusers", "FluxTransformer2DModel"],
      },
      vae({ sample_size: 1024, scaling_factor: 0.3611, shift_factor: 0.1159 }, [
        "vae.",
        "first_stage_model.",
      ]),
      textEncoder(["text_encoder", CLIP_KIND, "text_encoders.clip_l.transformer.", CLIP]),
      textEncoder(["text_encoder_2", T5_KIND, "text_encoders.t5xxl.transformer.", "T5EncoderModel"]),
    ],
    scheduler: {
      _class_name: "FlowMatchEulerDiscreteScheduler",
      base_image_seq_len: 256,
      base_shift: 0.5,
      max_image_seq_len: 4096,
      max_shift: 1.15,
      num_train_timesteps: 1000,
      shift: 3,
      use_dynamic_shifting: true,
    },
    tokenizers: { tokenizer: "CLIPTokenizer", tokenizer_2: "T5TokenizerFast" },
  },
  {
    name: "Stable Diffusion 3",
    pipeline: "StableDiffusion3Pipeline",
    parts: [
      {
        folder: "transformer",
        kind: STABLE_DIFFUSION_3_KIND,
        prefixes: ["model.diffusion_model.", ""],
        alone: "model.diffusion_model.",
        loads: ["diffusers", "SD3Transformer2DModel"],
      },
      vae({ sample_size: 1024, scaling_factor: 1.5305, shift_factor: 0.0609 }),
      textEncoder(["text_encoder", CLIP_KIND, "text_encoders.clip_l.transformer.", PROJECTED]),
      textEncoder(["text_encoder_2", LARGE_CLIP_KIND, "text_encoders.clip_g.transformer.", PROJECTED]),
      textEncoder(["text_encoder_3", T5_KIND, "text_encoders.t5xxl.transformer.", "T5EncoderModel"]),
    ],
    scheduler: { _class_name: "FlowMatchEulerDiscreteScheduler", num_train_timesteps: 1000, shift: 3 },
    tokenizers: { tokenizer: "CLIPTokenizer", tokenizer_2: "CLIPTokenizer", tokenizer_3: "T5TokenizerFast" },
  },
  {
    name: "Stable Diffusion XL refiner",
    pipeline: "StableDiffusionXLImg2ImgPipeline",
    fits: (has) =>
      has(/^conditioner\.embedders\.0\.model\./) ||
      (has(/^unet\/add_embedding\./) && has(/^text_encoder_2\//) && !has(/^text_encoder\//)),
    parts: [
      UNET,
      XL.vae,
      textEncoder(["text_encoder_2", OPEN_CLIP_KIND, "conditioner.embedders.0.model.", PROJECTED]),
    ],
    scheduler: XL.scheduler,
    pipelineSettings: { force_zeros_for_empty_prompt: false, requires_aesthetics_score: true },
    tokenizers: { tokenizer_2: "CLIPTokenizer" },
  },
  {
    name: "Stable Diffusion XL",
    pipeline: "StableDiffusionXLPipeline",
    fits: (has) => has(/(^|\.)label_emb\.0\.0\.weight$/) || has(/^unet\/add_embedding\./),
    parts: [
      UNET,
      XL.vae,
      textEncoder(["text_encoder", CLIP_KIND, "conditioner.embedders.0.transformer.", CLIP]),
      textEncoder(["text_encoder_2", OPEN_CLIP_KIND, "conditioner.embedders.1.model.", PROJECTED]),
    ],
    scheduler: XL.scheduler,
    pipelineSettings: { force_zeros_for_empty_prompt: true },
    tokenizers: { tokenizer: "CLIPTokenizer", tokenizer_2: "CLIPTokenizer" },
  },
  {
    name: "Stable Diffusion 1",
    pipeline: "StableDiffusionPipeline",
    // Version 2 has another text encoder, and matrices in place of convolutions around its attention.
    fits: (_has, axesOf) =>
      axesOf(/(^|[./])(input_blocks\.1\.1|down_blocks\.0\.attentions\.0)\.proj_in\.weight$/) === 4,
    parts: [
      UNET,
      vae({ sample_size: 512, scaling_factor: 0.18215 }),
      textEncoder(["text_encoder", CLIP_KIND, "cond_stage_model.transformer.", CLIP]),
    ],
    scheduler: {
      _class_name: "PNDMScheduler",
      ...LATENT_SCHEDULER,
      skip_prk_steps: true,
      set_alpha_to_one: false,
    },
    pipelineSettings: {
      requires_safety_checker: false,
      safety_checker: [null, null],
      feature_extractor: [null, null],
    },
    tokenizers: { tokenizer: "CLIPTokenizer" },
  },
];

/** Finds the first architecture whose main network is there, and that fits the names and shapes. */
export function findArchitecture(
  tensors: readonly (readonly [name: string, info: TensorInfo])[],
  isThere: (main: PipelinePart) => boolean,
): DiffusionArchitecture | undefined {
  const axesOf = (pattern: RegExp) => tensors.find(([name]) => pattern.test(name))?.[1].shape.length;
  const has = (pattern: RegExp) => axesOf(pattern) !== undefined;
  return ARCHITECTURES.find(({ parts: [main], fits }) => {
    return main !== undefined && isThere(main) && (fits?.(has, axesOf) ?? true);
  });
}

/** An autoencoder in a file of its own, of whatever architecture. */
export const LONE_VAE: PipelinePart = vae({}, ["first_stage_model.", "vae.", ""]);
