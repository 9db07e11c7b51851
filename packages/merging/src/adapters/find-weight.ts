import { type Checkpoint, MismatchError } from "@isthmus/core";

/** Prefixes that kohya's sd-scripts put before names of modules, whose dots they replace by underscores. */
const KOHYA_PREFIX = /^lora_(unet|transformer|prior_unet|te\d?)_/;

/**
 * Finds the tensor of a network that an adapter names: under this name, or under the only name that is the
 * same but for what precedes it, as `layers.0.weight` for `model.layers.0.weight`, or but for the underscores
 * that kohya writes in place of dots.
 * @param adapter - path, for messages
 * @throws MismatchError if there is none, or there are several
 */
export function findWeight({ tensors, source }: Checkpoint, name: string, adapter: string): string {
  if (tensors.has(name)) return name;
  const isSame = KOHYA_PREFIX.test(name) ? isUnderscored(name.replace(KOHYA_PREFIX, "")) : isTail(name);
  const similar = [...tensors.keys()].filter(isSame);
  const [only] = similar;
  if (only !== undefined && similar.length === 1) return only;
  const problem =
    similar.length === 0 ? "there is none" : `several may be meant: ${similar.slice(0, 3).join(", ")}`;
  throw new MismatchError(
    `Cannot apply adapter "${adapter}" to "${source}" as it changes "${name}", which must be there: ${problem}`,
    { parameters: [name] },
  );
}

function isTail(name: string): (other: string) => boolean {
  return (other) => other.endsWith(`.${name}`) || name.endsWith(`.${other}`);
}

function isUnderscored(name: string): (other: string) => boolean {
  const underscored = name.replaceAll(".", "_");
  return (other) => `_${other.replaceAll(".", "_")}`.endsWith(`_${underscored}`);
}
