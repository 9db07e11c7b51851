import { barrierValues } from "@isthmus/barrier";
import { at } from "@isthmus/core";
import type { InterpolationShape } from "./landscape-result.ts";

/** Largest rise, relative to the highest loss, that rounding may cause between equal losses. */
const ROUNDING = 1e-6;

/**
 * Says whether the loss falls all the way from an initialization to the trained network, by the largest rise
 * from any place to a later one, and how high the barrier is.
 *
 * Source: Lucas et al., Analyzing monotonic linear interpolation in neural network loss landscapes, 2021.
 * @param t - places, ascending from 0 to 1
 */
export function interpolationShape(
  t: readonly number[],
  losses: readonly number[],
  errors: readonly number[],
): InterpolationShape {
  const shape = { largestRise: 0, from: 0, to: 0 };
  let [lowest, lowestAt] = [Number.POSITIVE_INFINITY, 0];
  for (const [index, loss] of losses.entries()) {
    const place = at(t, index, "place");
    // A NaN anywhere makes the rise NaN, instead of counting as no rise.
    if (loss - lowest > shape.largestRise || Number.isNaN(loss)) {
      Object.assign(shape, { largestRise: loss - lowest, from: lowestAt, to: place });
    }
    if (loss < lowest) [lowest, lowestAt] = [loss, place];
  }
  const highest = losses.reduce((most, loss) => Math.max(most, Math.abs(loss)), 0);
  return {
    monotone: shape.largestRise <= ROUNDING * highest,
    ...shape,
    barrier: { loss: barrierValues(t, losses), error: barrierValues(t, errors) },
  };
}
