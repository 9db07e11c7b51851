import { at, OutOfRangeError } from "@isthmus/core";
import { epsilonOfDivergences } from "./convert-divergences.ts";
import { assertBudget, type ClientSampling, type PrivacyBudget } from "./mechanism.ts";
import { RENYI_ORDERS, renyiDivergences } from "./renyi-divergence.ts";

/**
 * Relative width of the interval at which the search ends; its upper end, which is within the budget, is
 * returned.
 */
const TOLERANCE = 1e-7;
/** Largest noise multiplier that is tried: a budget which needs a larger one is out of reach. */
const MOST_NOISE = 2 ** 30;

/**
 * Searches for the smallest noise multiplier with which a number of rounds stay within a budget.
 * @param rounds - whole number of at least 1
 * @throws OutOfRangeError if a number is out of its range, or no noise is enough
 */
export function noiseMultiplierFor(budget: PrivacyBudget, sampling: ClientSampling, rounds: number): number {
  assertBudget(budget);
  if (!(Number.isSafeInteger(rounds) && rounds >= 1)) {
    throw new OutOfRangeError(
      `Cannot find the noise for a budget as "rounds" must be a whole number of at least 1: it is ${rounds}`,
    );
  }
  const fits = (noiseMultiplier: number): boolean => {
    const ofRound = renyiDivergences({ noiseMultiplier, sampling });
    const sums = RENYI_ORDERS.map((_, i) => rounds * at(ofRound, i));
    return epsilonOfDivergences(RENYI_ORDERS, sums, budget.delta) <= budget.epsilon;
  };
  if (fits(0)) return 0;
  let [below, enough] = [0, 1];
  while (!fits(enough)) {
    [below, enough] = [enough, 2 * enough];
    if (enough > MOST_NOISE) {
      throw new OutOfRangeError(
        `Cannot stay within epsilon ${budget.epsilon} at delta ${budget.delta} in ${rounds} rounds with a noise ` +
          `multiplier of up to ${MOST_NOISE}: allow for more`,
      );
    }
  }
  while (enough - below > TOLERANCE * enough) {
    const middle = (below + enough) / 2;
    if (fits(middle)) enough = middle;
    else below = middle;
  }
  return enough;
}
