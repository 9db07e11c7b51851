import { createRandom, excerpt, type Random } from "@isthmus/core";

/** How places on rays are drawn: evenly, by Beta(2, 2), which favours the middle, or always the middle. */
export const RAY_DISTRIBUTIONS = ["uniform", "beta", "constant"] as const;

/** One of {@link RAY_DISTRIBUTIONS}. */
export type RayDistribution = (typeof RAY_DISTRIBUTIONS)[number];

/** A place on the segment from the star to an anchor. */
export interface RayPlace {
  /** Number of the anchor, from 0. */
  readonly anchor: number;
  /** 0 at the star, 1 at the anchor. */
  readonly t: number;
}

/**
 * Draws the place of one step: each anchor is as likely as any other. It depends on the seed and the step only.
 *
 * @param anchors - how many there are, at least 1
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
  const [, middle = 0] = [first, random.uniform(), random.uniform()].sort((a, b) => a - b);
  return middle;
}

/**
 * Checks the name of a distribution.
 * @param attempt - for messages, for example `find a star`
 * @throws TypeError if there is none of that name
 */
export function assertDistribution(attempt: string, given: string): asserts given is RayDistribution {
  if ((RAY_DISTRIBUTIONS as readonly string[]).includes(given)) return;
  throw new TypeError(
    `Cannot ${attempt} as "rays" must be one of ${RAY_DISTRIBUTIONS.join(", ")}: it is ${excerpt(given)}`,
  );
}
