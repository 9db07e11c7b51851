import { type Checkpoint, MismatchError } from "@isthmus/core";

/**
 * Finds the tensor of a network that an adapter names: under this name, or under the only name that is the
 * same but for what precedes it, as `layers.0.weight` for `model.layers.0.weight`.
 * @param adapter - path, for messages
 * @throws MismatchError if there is none, or there are several
 */
export function findWeight({ tensors, source }: Checkpoint, name: string, adapter: string): string {
  if (tensors.has(name)) return name;
  const similar = [...tensors.keys()].filter(
    (other) => other.endsWith(`.${name}`) || name.endsWith(`.${other}`),
  );
  const [only] = similar;
  if (only !== undefined && similar.length === 1) return only;
  const problem =
    similar.length === 0 ? "there is none" : `several may be meant: ${similar.slice(0, 3).join(", ")}`;
  throw new MismatchError(
    `Cannot apply adapter "${adapter}" to "${source}" as it changes "${name}", which must be there: ${problem}`,
    { parameters: [name] },
  );
}
