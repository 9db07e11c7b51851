import { at, createRandom, type Random, sumOf } from "@isthmus/core";
import type { Selection } from "./cma-es.ts";

/** A search for the best options of several choices. */
export interface ChoiceSearch {
  /** Draws the options of one candidate: the position of an option for each choice. */
  draw(): readonly number[];
  /** Learns from the candidates of a generation that were best, in falling order. */
  learn(best: readonly (readonly number[])[]): void;
  /** Probability of each option of each choice. */
  readonly probabilities: readonly (readonly number[])[];
}

/** Probability with which all choices together take their most likely options, at the end of a search. */
const TOGETHER = 0.73;

/**
 * Creates a search for the best options of choices: each choice has a distribution of its own, which moves
 * towards the options of the best candidates.
 *
 * No option is ever without probability: each keeps at least `(1 - 0.73^(1 / choices)) / (options - 1)`, so
 * that a choice that was made too early can still be undone.
 *
 * Source: Hamano et al., CatCMA: stochastic optimization for mixed-category problems, 2024, section 4, with
 * its margin. The step is not adapted here but fixed, at the share of what a generation tells: its effective
 * number of candidates to that plus the number of free probabilities. Coordinates of which the largest one
 * decides, as for a slerp in mergekit-evolve, were not taken: a score does not change with them until another
 * one is largest, so that their spread shrinks on nothing but chance.
 * @param counts - number of options of each choice, at least 2
 * @param selection - weights of the best candidates of a generation
 */
export function createChoiceSearch(
  counts: readonly number[],
  selection: Selection,
  seed: number,
): ChoiceSearch {
  const random = createRandom(seed, "choices");
  const free = sumOf(counts.map((count) => count - 1));
  const rate = selection.effective / (selection.effective + free);
  let probabilities = counts.map((count) => Array<number>(count).fill(1 / count));
  return {
    get probabilities() {
      return probabilities;
    },
    draw: () => probabilities.map((of) => drawFrom(of, random)),
    learn(best) {
      probabilities = probabilities.map((of, choice) => {
        const moved = of.map((probability) => (1 - rate) * probability);
        for (const [k, weight] of selection.weights.entries()) {
          const option = at(at(best, k, "candidate"), choice, "choice");
          moved[option] = at(moved, option, "option") + rate * weight;
        }
        const least = (1 - TOGETHER ** (1 / counts.length)) / (of.length - 1);
        return keepLeast(moved, Math.min(least, 1 / of.length));
      });
    },
  };
}

function drawFrom(probabilities: readonly number[], random: Random): number {
  let rest = random.uniform();
  const drawn = probabilities.findIndex((probability) => {
    rest -= probability;
    return rest < 0;
  });
  // Rounding may leave a rest beyond the last option.
  return drawn < 0 ? probabilities.length - 1 : drawn;
}

/**
 * Raises probabilities to a least one, and takes what that adds from the others, as far as they exceed it.
 */
function keepLeast(probabilities: readonly number[], least: number): number[] {
  const raised = probabilities.map((probability) => Math.max(probability, least));
  const excess = sumOf(raised) - probabilities.length * least;
  const left = 1 - probabilities.length * least;
  return excess <= 0 ? raised : raised.map((probability) => least + ((probability - least) * left) / excess);
}
