import { toOriginalBlocks } from "@isthmus/merging";

/** A rule that puts tensors into blocks by their names. */
type BlockRule = readonly [
  pattern: RegExp,
  /** Returns the blocks, the narrowest first, for the number that the pattern captures; 0 without one. */
  blocksOf: (index: number) => readonly string[],
];

/** Blocks of a kind of diffusion model, by which its users give weights. */
export interface BlockArchitecture {
  /** Name of the kind in words, such as `Stable Diffusion XL`. */
  readonly title: string;
  /** Blocks that every such network has, in the order of its layers: `IN00`, `M00`, `OUT00`. */
  readonly numbered: readonly string[];
  /** Lists of blocks for which a list of values may stand, each of another length. */
  readonly orders: readonly (readonly string[])[];
  /** Rules in the order in which they are tried. */
  readonly rules: readonly BlockRule[];
}

/** Prefixes of the names of the denoising network in single files, ComfyUI and pipelines of diffusers. */
const DENOISER = /^(?:model\.diffusion_model|diffusion_model|unet|transformer)\./;

/** Block of all tensors for which there is no rule. */
const REST = "BASE";

/** Blocks outside the numbered ones, each of which has the value of a wider block if it has none itself. */
const NAMED = ["TIME", "LABEL", "IN", "OUT", "CLIP", "CLIP_G", "T5", "VAE"] as const;

/** Rules for the parts of a checkpoint that are no denoising network. */
const PARTS: readonly BlockRule[] = [
  [/^(?:first_stage_model|vae)\./, () => ["VAE", REST]],
  [/^(?:cond_stage_model|conditioner\.embedders\.0|text_encoders\.clip_l)\./, () => ["CLIP", REST]],
  [/^(?:conditioner\.embedders\.1|text_encoders\.clip_g)\./, () => ["CLIP_G", REST]],
  [/^text_encoders\.t5xxl\./, () => ["T5", REST]],
];

const numbered = (word: string, index: number): string => `${word}${String(index).padStart(2, "0")}`;
const run = (word: string, count: number) => Array.from({ length: count }, (_, i) => numbered(word, i));

/** Returns the blocks of a U-Net; as in supermerger, embeddings of time and labels belong to `IN00`. */
function unetOf(title: string, inputs: number): BlockArchitecture {
  const last = numbered("OUT", inputs - 1);
  const blocks = [...run("IN", inputs), "M00", ...run("OUT", inputs)];
  return {
    title,
    numbered: blocks,
    orders: [[REST, ...blocks], blocks, [REST, ...blocks, "VAE"]],
    rules: [
      [/^time_embed\./, () => ["TIME", "IN00"]],
      [/^label_emb\./, () => ["LABEL", "IN00"]],
      [/^input_blocks\.(\d{1,3})\./, (i) => [numbered("IN", i)]],
      [/^middle_block\./, () => ["M00"]],
      [/^output_blocks\.(\d{1,3})\./, (i) => [numbered("OUT", i)]],
      [/^out\./, () => ["OUT", last]],
    ],
  };
}

/** Rules for what stands before and after the blocks of a diffusion transformer. */
const AROUND: readonly BlockRule[] = [
  [/^(?:img|txt|time|vector|guidance)_in\./, () => ["IN", REST]],
  [/^(?:[xty]|context)_embedder\.|^(?:pos_embed|time_text_embed)\b/, () => ["IN", REST]],
  [/^(?:final_layer|norm_out|proj_out)\./, () => ["OUT", REST]],
];

function jointOf(title: string, count: number): BlockArchitecture {
  const blocks = run("J", count);
  const rule: BlockRule = [/^(?:joint|transformer)_blocks\.(\d{1,3})\./, (i) => [numbered("J", i)]];
  return { title, numbered: blocks, orders: [[REST, ...blocks], blocks], rules: [rule, ...AROUND] };
}

function fluxOf(title: string, double: number, single: number): BlockArchitecture {
  const blocks = [...run("D", double), ...run("S", single)];
  return {
    title,
    numbered: blocks,
    orders: [[REST, ...blocks], blocks, ["CLIP", "T5", "IN", ...blocks, "OUT"]],
    rules: [
      [/^(?:double|transformer)_blocks\.(\d{1,3})\./, (i) => [numbered("D", i)]],
      [/^(?:single|single_transformer)_blocks\.(\d{1,3})\./, (i) => [numbered("S", i)]],
      ...AROUND,
    ],
  };
}

/**
 * Blocks of diffusion models by the names that recipes have for their kinds. The blocks of U-Nets and of Flux
 * are supermerger's (`blockfromkey` in `scripts/mergers/mergers.py`), and their numbers are the original
 * program's.
 */
export const BLOCK_ARCHITECTURES: ReadonlyMap<string, BlockArchitecture> = new Map([
  ["sd1", unetOf("Stable Diffusion 1 and 2", 12)],
  ["sdxl", unetOf("Stable Diffusion XL", 9)],
  ["sd3", jointOf("Stable Diffusion 3 and 3.5 medium", 24)],
  ["sd3.5-large", jointOf("Stable Diffusion 3.5 large", 38)],
  ["flux", fluxOf("Flux.1", 19, 38)],
]);

/**
 * Lists the blocks that a tensor of a diffusion model is in, the narrowest first: of the embedding of time in
 * a U-Net, `TIME` and `IN00`. Names of the original checkpoints and of diffusers are known, with and without
 * the prefix of the denoising network.
 * @returns no block for averages of weights, `model_ema.`
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { BLOCK_ARCHITECTURES, listBlocks } from "@isthmus/recipe";
 *
 * const sdxl = BLOCK_ARCHITECTURES.get("sdxl");
 * assert(sdxl !== undefined);
 * assert.deepEqual(listBlocks(sdxl, "model.diffusion_model.input_blocks.4.0.in_layers.2.weight"), ["IN04"]);
 * assert.deepEqual(listBlocks(sdxl, "down_blocks.1.resnets.0.conv1.weight"), ["IN04"]);
 * assert.deepEqual(listBlocks(sdxl, "first_stage_model.quant_conv.weight"), ["VAE", "BASE"]);
 * ```
 */
export function listBlocks({ rules }: BlockArchitecture, name: string): readonly string[] {
  if (name.startsWith("model_ema.")) return [];
  const bare = name.replace(DENOISER, "");
  const module = bare.replace(/\.[^.]*$/, "");
  const [original] = toOriginalBlocks(module);
  const path = original === undefined ? bare : `${original}.`;
  for (const [pattern, blocksOf] of [...rules, ...PARTS]) {
    const match = pattern.exec(path);
    if (match !== null) return blocksOf(Number(match.slice(1).join("")));
  }
  return [REST];
}

/** Lists all blocks for which a value may be given, narrow ones before wide ones that contain them. */
export function listNamedBlocks({ numbered: blocks }: BlockArchitecture): readonly string[] {
  return [...NAMED, ...blocks, REST];
}

/** Finds the name of the kind of diffusion model that has exactly the numbered blocks of a network. */
export function findBlockArchitecture(names: Iterable<string>): string | undefined {
  const all = [...names];
  return [...BLOCK_ARCHITECTURES].find(([, architecture]) => {
    const present = new Set(all.flatMap((name) => listBlocks(architecture, name)));
    const { numbered: blocks } = architecture;
    const blockNames = new Set(listNamedBlocks(architecture));
    return (
      blocks.every((block) => present.has(block)) && [...present].every((block) => blockNames.has(block))
    );
  })?.[0];
}
