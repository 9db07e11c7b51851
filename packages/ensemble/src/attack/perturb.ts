import type { Random } from "@isthmus/core";
import type { AttackNorm, ChannelRange, ExampleRange } from "./attack-options.ts";

/**
 * Region in which a changed example must stay: at most `radius` from the original, and within the range of
 * its numbers. Distances are measured in the numbers of the first channel.
 */
export interface Ball extends Pick<ExampleRange, "channels"> {
  /** Distance by which the change is measured. */
  readonly norm: AttackNorm;
  /** Largest distance from the original. */
  readonly radius: number;
}

/** Calls a function for each number of an example `[channels, ...]` with the range of its channel. */
function forEachNumber(
  example: Float32Array,
  channels: readonly ChannelRange[],
  visit: (i: number, channel: ChannelRange) => void,
): void {
  const plane = example.length / channels.length;
  channels.forEach((channel, c) => {
    for (let i = c * plane; i < (c + 1) * plane; i++) visit(i, channel);
  });
}

/**
 * Moves an example up its gradient in place: for `linf`, every number moves by `size` along the sign of its
 * slope; for `l2`, the example moves by `size` along the gradient's direction. Numbers whose slope is 0 do
 * not move.
 */
export function ascendInPlace(
  example: Float32Array,
  gradient: Float32Array,
  { norm, size, channels }: Pick<Ball, "norm" | "channels"> & { readonly size: number },
): void {
  // Slopes are converted to the numbers of the first channel: the slopes of other channels are multiplied by
  // the ratio of their steps.
  let squares = 0;
  forEachNumber(gradient, channels, (i, { weight }) => {
    squares += (weight * (gradient[i] as number)) ** 2;
  });
  const length = norm === "l2" ? Math.sqrt(squares) : 1;
  if (length === 0) return;
  forEachNumber(example, channels, (i, { weight }) => {
    const slope = gradient[i] as number;
    const step = size * (norm === "l2" ? (weight * slope) / length : Math.sign(slope));
    example[i] = (example[i] as number) + weight * step;
  });
}

/** Brings a changed example back into its ball in place. */
export function projectInPlace(example: Float32Array, original: Float32Array, ball: Ball): void {
  const { norm, radius, channels } = ball;
  let share = 1;
  if (norm === "l2") {
    let squares = 0;
    forEachNumber(example, channels, (i, { weight }) => {
      squares += (((example[i] as number) - (original[i] as number)) / weight) ** 2;
    });
    const distance = Math.sqrt(squares);
    share = distance > radius ? radius / distance : 1;
  }
  forEachNumber(example, channels, (i, { low, high, weight }) => {
    const from = original[i] as number;
    const change = (example[i] as number) - from;
    const most = weight * radius;
    const within = norm === "l2" ? share * change : Math.min(most, Math.max(-most, change));
    example[i] = Math.min(high, Math.max(low, from + within));
  });
}

/**
 * Moves an example to a random place of its ball in place: uniform for `linf`, for `l2` in a uniform
 * direction with a distance such that the place is uniform in the ball.
 */
export function scatterInPlace(example: Float32Array, ball: Ball, random: Random): void {
  const { norm, radius, channels } = ball;
  const original = example.slice();
  if (norm === "linf") {
    forEachNumber(example, channels, (i, { weight }) => {
      example[i] = (example[i] as number) + weight * radius * (2 * random.uniform() - 1);
    });
  } else {
    const weights = new Float32Array(example.length);
    forEachNumber(example, channels, (i, { weight }) => {
      weights[i] = weight;
    });
    // The ascent multiplies slopes by the weight of their channel: dividing by it here makes directions
    // uniform in the numbers of the first channel.
    const direction = Float32Array.from(weights, (weight) => random.normal() / weight);
    const size = radius * random.uniform() ** (1 / example.length);
    ascendInPlace(example, direction, { norm, size, channels });
  }
  projectInPlace(example, original, ball);
}
