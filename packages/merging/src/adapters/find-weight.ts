import { type Checkpoint, MismatchError } from "@isthmus/core";
import { toDiffusersBlocks, toOriginalBlocks } from "../layouts/tables/unet-blocks.ts";
import { namingOf, splitModuleName, styleOf } from "./names/name-style.ts";
import { dotPath } from "./names/underscored-path.ts";

/** Finds the tensor of a network that an adapter names, see {@link indexWeights}. */
export type FindWeight = (name: string) => string;

/** Most ends of one name that are remembered, so that a name of very many words does not fill the memory. */
const MOST_ENDS = 24;

/**
 * Prepares the search for tensors of a network by the names that an adapter gives them. If no tensor has a
 * name, similar names are listed: a similar name differs by the beginning, as `layers.0.weight` and
 * `model.layers.0.weight`; by the underscores that kohya writes in place of dots; or by the names of a
 * U-Net's blocks, of the original Stable Diffusion or of diffusers.
 * @returns function that lists the names that a tensor may have in the network, mostly one
 */
export function indexNames({ tensors }: Checkpoint): (name: string) => readonly string[] {
  const byEnd = new Map<string, string[]>();
  for (const name of tensors.keys()) {
    for (const end of endsOf(name)) {
      const key = end.replaceAll(".", "_");
      byEnd.set(key, [...(byEnd.get(key) ?? []), name]);
    }
  }
  const similarTo = (name: string): readonly string[] => {
    const style = styleOf(namingOf(name));
    const { path } = splitModuleName(style, name);
    // A kohya name says nothing about dots, and the end of its path may have any.
    if (style.joint === "_") return byEnd.get(path.replaceAll(".", "_")) ?? [];
    const longer = (byEnd.get(path.replaceAll(".", "_")) ?? []).filter((other) => isEnd(path, other));
    return longer.length > 0 ? longer : endsOf(name).filter((end) => tensors.has(end));
  };
  return (name) => {
    if (tensors.has(name)) return [name];
    const same = similarTo(name);
    return same.length > 0 ? same : otherNames(name).flatMap((other) => byEnd.get(other) ?? []);
  };
}

/**
 * Prepares the search for the one tensor of a network that an adapter means by a name, see
 * {@link indexNames}.
 * @param adapter - path of the adapter, for messages
 * @returns function that finds a tensor; it throws MismatchError if no name is similar, or several are
 */
export function indexWeights(base: Checkpoint, adapter: string): FindWeight {
  const namesOf = indexNames(base);
  return (name) => {
    const similar = namesOf(name);
    const [only] = similar;
    if (only !== undefined && similar.length === 1) return only;
    const { part } = splitModuleName(styleOf(namingOf(name)), name);
    const advice =
      part === undefined
        ? ""
        : `; if it belongs to another network than this one, name the part of this one before the adapter, such as model+unet:adapter or model+text_encoder:adapter`;
    const problem =
      similar.length === 0
        ? `there is none${advice}`
        : `several may be meant: ${similar.slice(0, 3).join(", ")}`;
    throw new MismatchError(
      `Cannot apply adapter "${adapter}" to "${base.source}" as it changes "${name}", which must be there: ${problem}`,
      { parameters: [name] },
    );
  };
}

/** Lists a name and its ends after each dot, the longest first. */
function endsOf(name: string): readonly string[] {
  const words = name.split(".");
  const first = Math.max(0, words.length - MOST_ENDS);
  return [...words.keys()].slice(first).map((i) => words.slice(i).join("."));
}

function isEnd(end: string, name: string): boolean {
  return name === end || name.endsWith(`.${end}`);
}

/**
 * Lists the names that a tensor of a U-Net has in the other program, or one of CLIP in transformers from
 * version 5 on, with underscores for dots.
 */
function otherNames(name: string): readonly string[] {
  const { path } = splitModuleName(styleOf(namingOf(name)), name);
  if (/^text_model[._]/.test(path)) return [path.slice("text_model.".length).replaceAll(".", "_")];
  const [, module = "", kind = ""] = /^(.+)\.([^.]+)$/.exec(path) ?? [];
  const dotted = dotPath(module);
  if (dotted === undefined) return [];
  const diffusers = toDiffusersBlocks(dotted);
  const others = diffusers === undefined ? toOriginalBlocks(dotted) : [diffusers];
  return others.map((other) => `${other}.${kind}`.replaceAll(".", "_"));
}
