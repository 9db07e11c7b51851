import { softmaxInto } from "@isthmus/graph";
import type { RouterLayer } from "./discover-routers.ts";

/** Turns the scores of a token into probabilities, in place. */
export function toProbabilities(scores: Float64Array, probabilities: RouterLayer["probabilities"]): void {
  if (probabilities === "sigmoid") {
    scores.forEach((score, i) => {
      scores[i] = 1 / (1 + Math.exp(-score));
    });
    return;
  }
  softmaxInto(scores, scores.length, scores);
}

/**
 * Returns the divergence of a token's probabilities from others, in nats: the relative entropy, which for
 * sigmoids is the sum over the experts, each of which is chosen or not.
 */
export function divergenceOf(
  from: Float64Array,
  to: Float64Array,
  probabilities: RouterLayer["probabilities"],
): number {
  let sum = 0;
  from.forEach((p, expert) => {
    const q = to[expert] as number;
    sum += relative(p, q);
    if (probabilities === "sigmoid") sum += relative(1 - p, 1 - q);
  });
  return sum;
}

const relative = (p: number, q: number) => (p === 0 ? 0 : p * Math.log(p / Math.max(q, Number.MIN_VALUE)));
