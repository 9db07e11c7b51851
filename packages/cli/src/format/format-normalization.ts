import type { Normalization } from "@isthmus/weight-matching";

/**
 * Formats what was undone beyond permutation, as names and values of a list; empty if nothing was asked for.
 */
export function formatNormalization(normalized: Normalization | undefined): [string, string][] {
  if (normalized === undefined) return [];
  const { kinds, scales, signs, rotations, distance } = normalized;
  const counts = { scale: scales, sign: signs, rotation: rotations };
  const undone = kinds.map((kind) => `${counts[kind]} ${kind}${counts[kind] === 1 ? "" : "s"}`).join(", ");
  return [
    ["normalized", undone],
    ["distance", `${distance.before.toFixed(2)} before, ${distance.after.toFixed(2)} after`],
  ];
}
