import { type Checkpoint, MismatchError } from "@isthmus/core";

/** Prefixes that kohya's sd-scripts put before the names of modules, whose dots become underscores. */
const KOHYA_PREFIX = /^lora_(unet|transformer|prior_unet|te\d?)_/;

/**
 * Finds the tensor of a network that an adapter names. If no tensor has that name, the only similar name is
 * taken: it differs by the beginning, as `layers.0.weight` and `model.layers.0.weight`, or by the underscores
 * that kohya writes in place of dots.
 * @param adapter - path of the adapter, for messages
 * @throws MismatchError if no name is similar, or several are
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
