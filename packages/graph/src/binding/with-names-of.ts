import { type Checkpoint, composeCheckpoint } from "@isthmus/core";
import { findNames } from "./find-names.ts";

/**
 * Returns a lazy checkpoint with the tensors of one checkpoint under the names of another of the same
 * architecture: prefixes such as `module.`, which only one of them has, are found by comparing names.
 *
 * @returns `other` itself if all its names are names of `first`; otherwise tensors whose names do not begin
 *   with the prefix are left out
 */
export function withNamesOf(first: Checkpoint, other: Checkpoint): Checkpoint {
  const names = [...other.tensors.keys()];
  if (names.every((name) => first.tensors.has(name))) return other;
  const { stored } = findNames([...first.tensors.keys()], { source: other.source, names });
  const places = [...stored].map(([name, place]) => [name, { checkpoint: other, name: place }] as const);
  return composeCheckpoint(new Map(places), other);
}
