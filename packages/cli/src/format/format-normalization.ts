import type { Normalization } from "@isthmus/weight-matching";

/**
 * Formats the scales, signs and rotations that were undone, as names and values of a list; empty without
 * `--normalize`.
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
