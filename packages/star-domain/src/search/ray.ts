import { at, choiceField, createRandom, type Field, type Random } from "@isthmus/core";

/**
 * Names of the distributions of places on rays: `uniform`; `beta`, which is Beta(2, 2) and favours the
 * middle; or `constant`, always the middle.
 */
export const RAY_DISTRIBUTIONS = ["uniform", "beta", "constant"] as const;

/** A distribution of places on rays, see {@link RAY_DISTRIBUTIONS}. */
export type RayDistribution = (typeof RAY_DISTRIBUTIONS)[number];

/** Field of the distribution of places on rays. */
export const RAYS_FIELD: Field<RayDistribution> = choiceField<RayDistribution>(RAY_DISTRIBUTIONS, {
  placeholder: "<distribution>",
  default: "uniform",
  keyed: "if-named",
  help: "how places on rays are drawn: evenly, by Beta(2, 2), or the middle",
});

/** Place on the segment from the star to an anchor. */
export interface RayPlace {
  /** Index of the anchor, from 0. */
  readonly anchor: number;
  /** Position on the segment: 0 at the star, 1 at the anchor. */
  readonly t: number;
}

/**
 * Draws the place of one step. All anchors are equally likely. The place depends on the seed and the step
 * only.
 *
 * @param anchors - number of anchors, at least 1
 */
export function drawRay(
  anchors: number,
  distribution: RayDistribution,
  { seed, step }: { readonly seed: number; readonly step: number },
): RayPlace {
  const random = createRandom(seed, `ray of step ${step}`);
  return { anchor: random.integer(anchors), t: drawPlace(random, distribution) };
}

/** Draws a place on a ray, in `[0, 1)`. */
export function drawPlace(random: Random, distribution: RayDistribution): number {
  if (distribution === "constant") return 0.5;
  const first = random.uniform();
  if (distribution === "uniform") return first;
  // The middle one of three uniform numbers is distributed by Beta(2, 2).
  const three = [first, random.uniform(), random.uniform()].sort((a, b) => a - b);
  return at(three, 1);
}
