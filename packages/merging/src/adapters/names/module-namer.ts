import { MismatchError, UnsupportedError } from "@isthmus/core";
import { toOriginalBlocks } from "../../layouts/tables/unet-blocks.ts";
import type { CanonicalName } from "./canonical-name.ts";
import type { AdapterPart, NameStyle } from "./name-style.ts";
import { encoderPrefix, type Pipeline } from "./pipelines.ts";

/** Blocks of transformers in the names of their makers, of which diffusers splits some modules in three. */
const ORIGINAL_TRANSFORMER = /^(double_blocks|single_blocks|joint_blocks)\./;

/** Modules that stand inside `text_model` of CLIP, except in transformers from version 5 on. */
const IN_TEXT_MODEL = /^(encoder\.layers|embeddings|final_layer_norm)\b/;

function isClip(part: AdapterPart | undefined): boolean {
  return part === "text_encoder" || part === "text_encoder_2";
}

/** The adapter whose modules get names. */
export interface NamedAdapter {
  /** Path of the adapter, for messages. */
  readonly source: string;
  /** Names of all its modules. */
  readonly names: readonly CanonicalName[];
  /** Diffusion model that it belongs to, which tells the names of the text encoders. */
  readonly pipeline: Pipeline;
}

/**
 * Makes the function that names modules after a style.
 * @returns function that throws MismatchError if a module belongs to no network that the style has a prefix
 *   for, and UnsupportedError if its blocks have no counterpart in the style
 */
export function createModuleNamer(
  style: NameStyle,
  { source, names, pipeline }: NamedAdapter,
): (name: CanonicalName) => string {
  const withAttention = new Set(
    names.flatMap(({ path }) => (path.match(/^up_blocks\.\d+(?=\.attentions\.)/) ?? []).slice(0, 1)),
  );
  return (name) => {
    const path = pathIn(style, name, { source, withAttention });
    if (style.prefixes.length === 0) return path;
    return prefixOf(style, name, { source, pipeline }) + path.replaceAll(".", style.joint);
  };
}

function prefixOf(
  style: NameStyle,
  { part, path, prefix }: CanonicalName,
  { source, pipeline }: Pick<NamedAdapter, "source" | "pipeline">,
): string {
  if (prefix?.naming === style.name) return prefix.text;
  const [, first] = style.prefixes.find(([of]) => of === part) ?? [];
  const text = encoderPrefix(pipeline, style.name, part) ?? first;
  if (text !== undefined) return text;
  const parts = [...new Set(style.prefixes.map(([of]) => of))].join(", ");
  throw new MismatchError(
    `Cannot give "${path}" of adapter "${source}" a name of ${style.name} as it must belong to one of ${parts}: ${part === undefined ? `its name tells none; ${style.name} has no names for language models, whose adapters stay in folders of PEFT` : `it belongs to ${part}`}`,
    { parameters: [path] },
  );
}

function pathIn(
  style: NameStyle,
  { part, path }: CanonicalName,
  { source, withAttention }: { readonly source: string; readonly withAttention: ReadonlySet<string> },
): string {
  const isTransformer = ORIGINAL_TRANSFORMER.test(path);
  const fits =
    style.name === "diffusers" ? !isTransformer : style.blocks === "diffusers" || part !== "transformer";
  if (!fits) {
    throw new UnsupportedError(
      `Cannot give "${path}" of adapter "${source}" a name of ${style.name} as that must be known for such a transformer: those of Flux and Stable Diffusion 3 are; name the network that it changes by --base, or convert it with the program that made it`,
      { feature: path },
    );
  }
  if (isClip(part) && style.name !== "PEFT" && IN_TEXT_MODEL.test(path)) return `text_model.${path}`;
  if (style.blocks === "diffusers" || part !== "unet") return path;
  const [first, second] = toOriginalBlocks(path);
  const block = /^up_blocks\.\d+/.exec(path)?.[0];
  // A change of size stands behind the attention of its block, if there is any.
  const isSecond = second !== undefined && block !== undefined && !withAttention.has(block);
  return (isSecond ? second : first) ?? path;
}

/** Groups modules by the networks of a pipeline that they belong to. */
export function groupByPart<T extends { readonly name: CanonicalName }>(
  modules: readonly T[],
): ReadonlyMap<AdapterPart | undefined, readonly T[]> {
  const groups = new Map<AdapterPart | undefined, T[]>();
  for (const module of modules) {
    groups.set(module.name.part, [...(groups.get(module.name.part) ?? []), module]);
  }
  return groups;
}
