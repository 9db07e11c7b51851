import type { Normalization } from "@isthmus/weight-matching";

/** What was undone beyond permutation, as lines of a list; none where nothing was asked for. */
export function formatNormalization(normalized: Normalization | undefined): [string, string][] {
  if (normalized === undefined) return [];
  const { kinds, scales, signs, rotations, distance } = normalized;
  const counts = { scale: scales, sign: signs, rotation: rotations };
  const found = kinds.map((kind) => `${counts[kind]} ${kind}${counts[kind] === 1 ? "" : "s"}`).join(", ");
  return [
    ["normalized", found],
    ["distance", `${distance.before.toFixed(2)} before, ${distance.after.toFixed(2)} after`],
  ];
}
