import { type Checkpoint, composeCheckpoint, isIsthmusError } from "@isthmus/core";
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

/**
 * Gives checkpoints that share no name of a tensor with the first the names of the first, if theirs differ by
 * a prefix only. Checkpoints of another architecture keep their names.
 */
export function withCommonNames([first, ...others]: readonly Checkpoint[]): readonly Checkpoint[] {
  if (first === undefined) return [];
  const rename = (other: Checkpoint): Checkpoint => {
    if ([...other.tensors.keys()].some((name) => first.tensors.has(name))) return other;
    try {
      return withNamesOf(first, other);
    } catch (error) {
      if (isIsthmusError(error)) return other;
      throw error;
    }
  };
  return [first, ...others.map(rename)];
}
