import { type Checkpoint, composeCheckpoint } from "@isthmus/core";
import { ARCHITECTURES, type PipelinePart } from "./architectures.ts";

/** A network whose tensors have the names of another one. */
export interface RenamedNetwork {
  /** Network with the names; the given one if no tensor had to be renamed. */
  readonly network: Checkpoint;
  /** Names in the given network of the tensors that were renamed, by their new names. */
  readonly renamed: ReadonlyMap<string, string>;
}

const PARTS: readonly PipelinePart[] = ARCHITECTURES.flatMap(({ parts }) => parts);

/** Beginnings that a file has before the names of a network, and the networks. */
const BEGINNINGS = PARTS.flatMap((part) => part.prefixes.map((prefix) => ({ prefix, part }))).filter(
  ({ prefix }) => prefix !== "",
);

/** Earlier names of any network, for networks in files of their own. */
const EARLIER = [...new Set(PARTS.flatMap(({ kind }) => kind.earlier ?? []))];

/**
 * Gives the tensors of a diffusion model the names of another one if programs name the same tensors in both
 * ways, lazily: `model.diffusion_model.` before the names of the main network or nothing,
 * `first_stage_model.` or `vae.` before the autoencoder, and earlier names of CLIP (without
 * `text_model.`) and of attention in autoencoders of diffusers. All other tensors keep their names.
 * @param first - the model whose names are wanted
 */
export function withLayoutNamesOf(first: Checkpoint, other: Checkpoint): RenamedNetwork {
  const byCommonName = new Map<string, string | undefined>();
  for (const name of first.tensors.keys()) {
    const common = commonName(name);
    byCommonName.set(common, byCommonName.has(common) ? undefined : name);
  }
  const renamed = new Map<string, string>();
  const places = [...other.tensors.keys()].map((name) => {
    const there = first.tensors.has(name) ? name : byCommonName.get(commonName(name));
    if (there === undefined || other.tensors.has(there) || renamed.has(there)) return [name, name] as const;
    renamed.set(there, name);
    return [there, name] as const;
  });
  if (renamed.size === 0) return { network: other, renamed };
  const tensors = new Map(places.map(([there, name]) => [there, { checkpoint: other, name }]));
  return { network: composeCheckpoint(tensors, other), renamed };
}

/** Describes renamed tensors in a sentence for people, without a dot at its end. */
export function describeRenamed({ network: { source }, renamed }: RenamedNetwork): string | undefined {
  const [example] = renamed;
  if (example === undefined) return undefined;
  const [there, name] = example;
  return `"${source}" names ${renamed.size} tensors in another way than the model whose names the result has: "${name}" is merged as "${there}"`;
}

/** Returns one name for all names that a tensor has in diffusion models of one layout. */
function commonName(name: string): string {
  const begun = BEGINNINGS.find(({ prefix }) => name.startsWith(prefix));
  const { prefix = "", part } = begun ?? {};
  const earlier = part === undefined ? EARLIER : (part.kind.earlier ?? []);
  const inside = earlier.reduce(
    (text, [pattern, now]) => text.replace(pattern, now),
    name.slice(prefix.length),
  );
  const [beginning = ""] = [...(part?.prefixes ?? [])].sort();
  return beginning + inside;
}
