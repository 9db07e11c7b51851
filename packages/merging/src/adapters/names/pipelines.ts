import type { Checkpoint } from "@isthmus/core";
import { FLUX } from "../../layouts/tables/flux.ts";
import { STABLE_DIFFUSION_3 } from "../../layouts/tables/stable-diffusion-3.ts";
import type { AdapterNaming } from "../adapter.ts";
import type { AdapterPart } from "./name-style.ts";
import type { NamedModule, TransformerNames } from "./transformer-names.ts";

/** Text before the names of a text encoder's modules, in files of kohya and of ComfyUI. */
type EncoderPrefixes = Readonly<Record<"kohya" | "ComfyUI", string>>;

/** Text encoders of a diffusion model, by their folders in diffusers. */
export type Pipeline = ReadonlyMap<AdapterPart, EncoderPrefixes>;

const CLIP_L = "text_encoders.clip_l.transformer.";
const CLIP_G = "text_encoders.clip_g.transformer.";
const T5 = "text_encoders.t5xxl.transformer.";

type PipelineName = "Stable Diffusion 1 and 2" | "Stable Diffusion XL" | "Stable Diffusion 3" | "Flux";

/**
 * Names of text encoders in each architecture. kohya numbers them from Stable Diffusion XL on, and gives T5
 * the number 3 in Flux as well, which has no second CLIP; diffusers numbers the folders of each model.
 *
 * Source: sd-scripts, `networks/lora.py`, `networks/lora_sd3.py`, and `networks/lora_flux.py`.
 */
const PIPELINES: Readonly<Record<PipelineName, Pipeline>> = {
  "Stable Diffusion 1 and 2": new Map([["text_encoder", { kohya: "lora_te_", ComfyUI: CLIP_L }]]),
  "Stable Diffusion XL": new Map([
    ["text_encoder", { kohya: "lora_te1_", ComfyUI: CLIP_L }],
    ["text_encoder_2", { kohya: "lora_te2_", ComfyUI: CLIP_G }],
  ]),
  "Stable Diffusion 3": new Map([
    ["text_encoder", { kohya: "lora_te1_", ComfyUI: CLIP_L }],
    ["text_encoder_2", { kohya: "lora_te2_", ComfyUI: CLIP_G }],
    ["text_encoder_3", { kohya: "lora_te3_", ComfyUI: T5 }],
  ]),
  Flux: new Map([
    ["text_encoder", { kohya: "lora_te1_", ComfyUI: CLIP_L }],
    ["text_encoder_2", { kohya: "lora_te3_", ComfyUI: T5 }],
  ]),
};

/** Modules that a U-Net of Stable Diffusion XL has, and one of Stable Diffusion 1 or 2 has not. */
const OF_XL = /(^|\.)(add_embedding|label_emb)\.|attentions\.\d+\.transformer_blocks\.[1-9]/;

/** Number of columns of the text in attention of Stable Diffusion XL. */
const XL_TEXT_WIDTH = 2048;

/** Beginnings of the names of modules in T5. */
const IN_T5 = /^(encoder\.block\.|shared\b)/;

/** A module of an adapter, with the network that its prefix tells. */
export interface PipelineModule extends NamedModule {
  /** Network; undefined if the prefix tells none. */
  readonly part: AdapterPart | undefined;
}

/**
 * Decides which diffusion model an adapter belongs to, by its transformer, its text encoders and its U-Net;
 * it is Stable Diffusion 1 or 2 if nothing tells another.
 * @param modules - all modules of the adapter
 * @param table - table of names of the adapter's transformer; undefined if none is known
 * @param base - network that the adapter changes; undefined if it is not named
 */
export function findPipeline(
  modules: readonly PipelineModule[],
  table: TransformerNames["table"],
  base: Checkpoint | undefined,
): Pipeline {
  if (table === FLUX) return PIPELINES.Flux;
  const parts = new Set(modules.map(({ part }) => part));
  if (table === STABLE_DIFFUSION_3 || parts.has("text_encoder_3")) return PIPELINES["Stable Diffusion 3"];
  const hasT5 = modules.some(({ part, path }) => part === "text_encoder_2" && IN_T5.test(path));
  if (hasT5) return PIPELINES.Flux;
  const isXl =
    parts.has("text_encoder_2") ||
    modules.some(({ path }) => OF_XL.test(path)) ||
    modules.some(({ path, columns }) => /\battn2\.to_[kv]$/.test(path) && columns === XL_TEXT_WIDTH) ||
    [...(base?.tensors.keys() ?? [])].some((name) => OF_XL.test(name));
  return PIPELINES[isXl ? "Stable Diffusion XL" : "Stable Diffusion 1 and 2"];
}

/** Finds the text before the names of a text encoder's modules; undefined if the table has none. */
export function encoderPrefix(
  pipeline: Pipeline,
  naming: AdapterNaming,
  part: AdapterPart | undefined,
): string | undefined {
  const prefixes = part === undefined ? undefined : pipeline.get(part);
  return naming === "kohya" || naming === "ComfyUI" ? prefixes?.[naming] : undefined;
}

/** Finds the text encoder of a module by its name in kohya or ComfyUI; undefined if the table has none. */
export function encoderOf(
  pipeline: Pipeline,
  naming: AdapterNaming,
  module: string,
): AdapterPart | undefined {
  for (const part of pipeline.keys()) {
    const prefix = encoderPrefix(pipeline, naming, part);
    if (prefix !== undefined && module.startsWith(prefix)) return part;
  }
  return undefined;
}
