import { type Checkpoint, composeCheckpoint } from "@isthmus/core";
import { findNames } from "./find-names.ts";

/**
 * Shows a checkpoint under the names of another one of the same architecture, lazily: prefixes such as `module.`, which one of them
 * has and the other has not, are found by comparing names.
 *
 * @returns `other` itself if its names are those of `first`; tensors whose names do not begin with the prefix are left out otherwise
 */
export function withNamesOf(first: Checkpoint, other: Checkpoint): Checkpoint {
  const names = [...other.tensors.keys()];
  if (names.every((name) => first.tensors.has(name))) return other;
  const { stored } = findNames([...first.tensors.keys()], { source: other.source, names });
  const places = [...stored].map(([name, place]) => [name, { checkpoint: other, name: place }] as const);
  return composeCheckpoint(new Map(places), other);
}
