import { at } from "@isthmus/core";
import { type ChoiceSearch, createChoiceSearch } from "./choice-search.ts";
import { assertPopulation, bestFirst, type CmaEsStop, createCmaEs, isFlat, selectionOf } from "./cma-es.ts";

/** Options of {@link createMixedSearch}. */
export interface MixedSearchOptions {
  /** Centre of the first candidates, one number for each coordinate; empty if there are choices only. */
  readonly start: readonly number[];
  /** Number of options of each choice; empty if there are numbers only. */
  readonly counts: readonly number[];
  /** Standard deviation of the first candidates in every coordinate. */
  readonly sigma: number;
  /** Number of candidates of a generation. @defaultValue `4 + floor(3 log(coordinates and choices))` */
  readonly population?: number | undefined;
  /** Seed of the candidates. */
  readonly seed: number;
}

/** A candidate of a mixed search. */
export interface MixedCandidate {
  /** Coordinates, which may be any numbers. */
  readonly numbers: readonly number[];
  /** Position of the chosen option of each choice. */
  readonly options: readonly number[];
}

/** A search over numbers and choices together. */
export interface MixedSearch {
  /** Number of candidates of a generation. */
  readonly population: number;
  /** Draws the candidates of the next generation. */
  ask(): readonly MixedCandidate[];
  /** Learns the values of the candidates of the last `ask`; smaller values are better. */
  tell(values: readonly number[]): void;
  /** Reason for which the search has stopped; undefined while it may still improve. */
  readonly stopped: CmaEsStop | undefined;
  /** Probability of each option of each choice. */
  readonly probabilities: ChoiceSearch["probabilities"];
  /** Options of the best candidate of the latest generation. */
  readonly winner: readonly number[];
}

/** Creates a search that draws numbers by CMA-ES and options by their probabilities, ranked together. */
export function createMixedSearch(options: MixedSearchOptions): MixedSearch {
  const { start, counts, sigma, population, seed } = options;
  const count = population ?? 4 + Math.floor(3 * Math.log(start.length + counts.length));
  assertPopulation(count);
  const numbers = start.length > 0 ? createCmaEs({ start, sigma, seed, population: count }) : undefined;
  const selection = selectionOf(count);
  const choices = createChoiceSearch(counts, selection, seed);
  const bests: number[] = [];
  let candidates: readonly MixedCandidate[] = [];
  let winner: readonly number[] = [];
  return {
    population: count,
    get stopped() {
      return numbers === undefined ? (isFlat(bests) ? "flat" : undefined) : numbers.stopped;
    },
    get probabilities() {
      return choices.probabilities;
    },
    get winner() {
      return winner;
    },
    ask() {
      const drawn = numbers?.ask() ?? Array.from({ length: count }, () => []);
      candidates = drawn.map((of) => ({ numbers: of, options: choices.draw() }));
      return candidates;
    },
    tell(values) {
      numbers?.tell(values);
      const order = bestFirst(values);
      const best = selection.weights.map((_, k) => at(candidates, at(order, k, "candidate"), "candidate"));
      choices.learn(best.map((candidate) => candidate.options));
      winner = at(best, 0, "candidate").options;
      bests.push(at(values, at(order, 0, "candidate"), "value"));
    },
  };
}
