import { type Checkpoint, MismatchError } from "@isthmus/core";
import { toDiffusersBlocks } from "../../layouts/tables/unet-blocks.ts";
import type { AdapterNaming } from "../adapter.ts";
import { type AdapterPart, splitModuleName, styleOf } from "./name-style.ts";
import { dotPath } from "./underscored-path.ts";

/** Name of a module that no style has changed: with dots, and with diffusers' names of a U-Net's blocks. */
export interface CanonicalName {
  /** Network of the pipeline; undefined if neither a prefix nor the path tells it. */
  readonly part: AdapterPart | undefined;
  /** Name inside the network. */
  readonly path: string;
  /** Text that stood before the name of a text encoder's module, which stays if the style does. */
  readonly prefix?: { readonly naming: AdapterNaming; readonly text: string };
}

/** Beginnings of paths that tell the network, in folders of PEFT, whose names have no prefix. */
const PARTS: readonly (readonly [RegExp, AdapterPart])[] = [
  [/^(down_blocks|up_blocks|mid_block|conv_in|conv_out|time_embedding|add_embedding)\b/, "unet"],
  [/^(input_blocks|output_blocks|middle_block|time_embed|label_emb)\b/, "unet"],
  [/^(double_blocks|single_blocks|joint_blocks)\b/, "transformer"],
  [/^(transformer_blocks|single_transformer_blocks)\b/, "transformer"],
  [/^(text_model\.|text_projection\b|encoder\.layers\.\d+\.(self_attn|mlp)\.)/, "text_encoder"],
];

/** Old names of diffusers' attention in text encoders, and the names of the modules. */
const OLD_ATTENTION: readonly (readonly [RegExp, string])[] = [
  [/\.to_q$/, ".q_proj"],
  [/\.to_k$/, ".k_proj"],
  [/\.to_v$/, ".v_proj"],
  [/\.to_out$/, ".out_proj"],
];

/** Makes the function that undoes what a style does to the names of modules. */
export function createCanonicalNames(
  naming: AdapterNaming,
  source: string,
  base: Checkpoint | undefined,
): (module: string) => CanonicalName {
  const style = styleOf(naming);
  const dotted = base === undefined ? undefined : indexUnderscored(base);
  return (module) => {
    const { part, path } = splitModuleName(style, module);
    const dottedPath = style.joint === "." ? path : findDots(path, { module, source, dotted, base });
    const named = part ?? PARTS.find(([pattern]) => pattern.test(dottedPath))?.[1];
    const name = { part: named, path: withoutOldNames(toDiffusersBlocks(dottedPath) ?? dottedPath, named) };
    if (part?.startsWith("text_encoder") !== true) return name;
    return { ...name, prefix: { naming, text: module.slice(0, -path.length) } };
  };
}

function withoutOldNames(path: string, part: AdapterPart | undefined): string {
  const plain = path.replace(".processor.", ".");
  const isText = part?.startsWith("text_encoder") === true;
  const old = isText ? OLD_ATTENTION.find(([pattern]) => pattern.test(plain)) : undefined;
  if (old !== undefined) return plain.replace(...old);
  return part === "unet" && plain.endsWith(".to_out") ? `${plain}.0` : plain;
}

interface Underscored {
  readonly module: string;
  readonly source: string;
  readonly dotted: ReadonlyMap<string, readonly string[]> | undefined;
  readonly base: Checkpoint | undefined;
}

/** Finds where the dots of a path were: by the names of the base, or by words that are known. */
function findDots(path: string, { module, source, dotted, base }: Underscored): string {
  const ofBase = dotted?.get(path) ?? dotted?.get(path.replace(/^text_model_/, "")) ?? [];
  const [only] = ofBase;
  if (ofBase.length > 1) {
    throw new MismatchError(
      `Cannot rename "${module}" of adapter "${source}" as one module of "${base?.source ?? ""}" must have that name with underscores for dots: it stands for ${ofBase.slice(0, 3).join(", ")}`,
      { parameters: [module] },
    );
  }
  const dottedPath = only ?? dotPath(path);
  if (dottedPath !== undefined) return dottedPath;
  throw new MismatchError(
    `Cannot rename "${module}" of adapter "${source}" as the dots of its name must be known, for which kohya writes underscores: it has words of no known network${base === undefined ? "; name the network that it changes by --base" : `, and "${base.source}" has no such module`}`,
    { parameters: [module] },
  );
}

/** Lists the modules of a network by the ends of their names, with underscores for dots. */
function indexUnderscored({ tensors }: Checkpoint): ReadonlyMap<string, readonly string[]> {
  const modules = new Map<string, string[]>();
  for (const tensor of tensors.keys()) {
    if (!tensor.endsWith(".weight")) continue;
    const words = tensor.split(".").slice(0, -1);
    // A name of very many words would fill the memory with its ends.
    for (let i = Math.max(0, words.length - 24); i < words.length; i++) {
      const end = words.slice(i);
      const key = end.join("_");
      const others = modules.get(key) ?? [];
      if (!others.includes(end.join("."))) modules.set(key, [...others, end.join(".")]);
    }
  }
  return modules;
}
