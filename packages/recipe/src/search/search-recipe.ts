import { assertWholeOptions, at, InputError, UsageError } from "@isthmus/core";
import { canonicalJson, inOrder, type JournalRun, openJournal } from "@isthmus/tasks";
import type { CmaEsStop } from "./cma-es.ts";
import { createMixedSearch, type MixedCandidate } from "./mixed-search.ts";
import {
  fillSearched,
  fromUnit,
  isSearchedChoice,
  listSearched,
  type SearchedChoice,
  type SearchedNumber,
  type SearchedValue,
  toUnit,
  valuesOfEachOption,
} from "./search-space.ts";

/** A recipe with values in place of its marks, and its score. */
export interface SearchCandidate<T> {
  /** Recipe with numbers in place of its ranges, and an option in place of each choice. */
  readonly recipe: T;
  /** The searched numbers by their paths in the recipe. */
  readonly values: Readonly<Record<string, number>>;
  /** The chosen options, as texts, by the paths of the choices in the recipe. */
  readonly chosen: Readonly<Record<string, string>>;
  /** Score of the recipe; NaN if it could not be judged. */
  readonly score: number;
}

/** Progress of a search. */
export interface SearchProgress {
  /** Share of the evaluations that are done, in `[0, 1]`; a search may stop before it reaches 1. */
  readonly done: number;
  /** Number of evaluations that are done. */
  readonly evaluations: number;
  /** Score of the candidate that was judged last. */
  readonly score: number;
  /** The best score so far. */
  readonly best: number;
}

/** Options of {@link searchRecipe}. */
export interface SearchRecipeOptions<T> {
  /**
   * Judges a recipe: merges its networks and measures the result, here or elsewhere. NaN counts as the worst.
   * The last argument has the searched numbers, and positions of options, in the order of `listSearched`.
   */
  readonly evaluate: (
    recipe: T,
    signal: AbortSignal | undefined,
    values: readonly number[],
  ) => Promise<number>;
  /**
   * Checks a recipe before the first is judged, and throws if it cannot be merged: called for each option of
   * each choice, with all else as at the beginning, so that a search does not fail half-way. @defaultValue
   * nothing is checked
   */
  readonly check?: ((recipe: T, signal: AbortSignal | undefined) => Promise<void>) | undefined;
  /**
   * Most candidates that are judged at the same time, at least 1; more than 1 only if `evaluate` may run
   * several times at once. Candidates of a generation are independent, so that the number does not change the
   * result. @defaultValue 1
   */
  readonly atOnce?: number;
  /**
   * Whether small scores are better, such as losses, or large ones, such as accuracies. @defaultValue
   * "minimize"
   */
  readonly goal?: "minimize" | "maximize";
  /** Largest number of evaluations. @defaultValue 100 */
  readonly evaluations?: number;
  /** Standard deviation of the first candidates, as a share of each range, above 0. @defaultValue 1/6 */
  readonly sigma?: number;
  /** Number of candidates of a generation, at least 4. @defaultValue `4 + floor(3 log(searched numbers))` */
  readonly population?: number;
  /** Seed of the candidates, a whole number of at least 0. @defaultValue 0 */
  readonly seed?: number;
  /**
   * File that keeps all scores, so that a stopped search can be resumed. @defaultValue scores are not kept
   */
  readonly journal?: string | undefined;
  /**
   * Everything but the recipe and these options that decides a score, such as digests of the networks and of
   * the examples; a journal of a search with another identity is refused. @defaultValue no identity: scores
   * of a journal are used even if `evaluate` has changed
   */
  readonly identity?: JournalRun | undefined;
  /** Signal that stops the search; scores in a journal stay. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
  /** Called after each candidate, in the order of the search. @defaultValue nothing is called */
  readonly onProgress?: ((progress: SearchProgress) => void) | undefined;
}

/** Defaults of {@link searchRecipe}; the population depends on the recipe. */
export const SEARCH_RECIPE_DEFAULTS: Required<
  Pick<SearchRecipeOptions<object>, "goal" | "evaluations" | "sigma" | "seed" | "atOnce">
> = { goal: "minimize", evaluations: 100, sigma: 1 / 6, seed: 0, atOnce: 1 };

/** Reason for which a search ended: CMA-ES stopped, or no evaluations were left. */
export type SearchStop = CmaEsStop | "evaluations";

/** How often one option of a choice was tried, and how often it won. */
export interface OptionCount {
  /** The option as a text. */
  readonly option: string;
  /** Number of candidates with the option. */
  readonly tried: number;
  /** Number of generations whose best candidate had the option. */
  readonly won: number;
  /** Probability that the option would be drawn next, in `(0, 1)`. */
  readonly probability: number;
}

/** A choice of a recipe, and what a search found out about its options. */
export interface ChoiceCounts {
  /** Path of the choice in the recipe. */
  readonly path: string;
  /** Counts of each option, in the order of the recipe. */
  readonly options: readonly OptionCount[];
}

/** Result of {@link searchRecipe}. */
export interface SearchResult<T> {
  /** Candidate with the best score; of equals, the first. */
  readonly best: SearchCandidate<T>;
  /** All candidates, in the order of the search. */
  readonly candidates: readonly SearchCandidate<T>[];
  /** Reason for which the search ended. */
  readonly stopped: SearchStop;
  /** Choices of the recipe with counts of their options; empty if it has none. */
  readonly choices: readonly ChoiceCounts[];
}

/**
 * Searches the numbers that a recipe marks with `{ search: [low, high] }`, and the options that it marks with
 * `{ choose: [a, b] }`, for the best score: numbers by CMA-ES, options by probabilities that move towards
 * the options of the best candidates.
 *
 * Numbers outside their range are reflected at its ends. With a journal, a search that was stopped starts
 * again and takes known scores from the journal, so that its result is the same as without a stop.
 *
 * @throws UsageError if no value of the recipe is marked, or a mark has a wrong form
 * @throws OutOfRangeError if a range or an option is out of its range
 * @throws MismatchError if the journal is of another search
 * @throws InputError if no candidate got a finite score
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { searchRecipe } from "@isthmus/recipe";
 *
 * const recipe = { merge_method: "linear", parameters: { weight: { search: [0, 1] } } };
 * const { best } = await searchRecipe(recipe, {
 *   evaluate: async ({ parameters: { weight } }) => (Number(weight) - 0.3) ** 2, // merge and measure here
 * });
 * assert(Math.abs(best.values["parameters.weight"]! - 0.3) < 0.01);
 * ```
 */
export async function searchRecipe<T extends object>(
  recipe: T,
  options: SearchRecipeOptions<T>,
): Promise<SearchResult<T>> {
  const { evaluate, population, journal: path, signal, onProgress } = options;
  const { goal, evaluations, sigma, seed, atOnce } = { ...SEARCH_RECIPE_DEFAULTS, ...options };
  const least = { evaluations: 1, seed: 0, atOnce: 1 };
  assertWholeOptions("search a recipe", { evaluations, seed, atOnce }, least);
  const marked = listMarked(recipe);
  const numbers = marked.filter((value): value is SearchedNumber => !isSearchedChoice(value));
  const choices = marked.filter(isSearchedChoice).map(countFrom);
  const run = { recipe: canonicalJson(recipe), goal, sigma, seed, population: population ?? 0 };
  const journal = await openJournal(path, { ...run, ...options.identity });
  const start = numbers.map((number) => toUnit(number, number.start));
  const counts = choices.map(({ options }) => options.length);
  const search = createMixedSearch({ start, counts, sigma, seed, population });
  await checkOptions(recipe, options);
  assertGeneration(search.population, evaluations);
  const candidates: SearchCandidate<T>[] = [];
  const sign = goal === "minimize" ? 1 : -1;
  const isBetter = (a: number, b: number) => Number.isNaN(b) || sign * a < sign * b;
  let best: SearchCandidate<T> | undefined;

  const judge = async (drawn: MixedCandidate): Promise<SearchCandidate<T>> => {
    signal?.throwIfAborted();
    const values = valuesOf(marked, drawn);
    const filled = fillSearched(recipe, values);
    const [score = Number.NaN] = await journal.get(values.join(","), async () => [
      await evaluate(filled, signal, values),
    ]);
    return { recipe: filled, ...nameValues(marked, values), score };
  };
  const add = (candidate: SearchCandidate<T>): void => {
    candidates.push(candidate);
    if (best === undefined || isBetter(candidate.score, best.score)) best = candidate;
    const done = candidates.length;
    onProgress?.({ done: done / evaluations, evaluations: done, score: candidate.score, best: best.score });
  };

  while (search.stopped === undefined) {
    const drawn = search.ask();
    if (candidates.length + drawn.length > evaluations) break;
    const generation: number[] = [];
    const judged = inOrder(drawn.length, atOnce, (i) => judge(at(drawn, i, "candidate")));
    for await (const candidate of judged) {
      add(candidate);
      generation.push(sign * candidate.score);
    }
    search.tell(generation);
    for (const { options } of drawn) count(choices, options, "tried");
    count(choices, search.winner, "won");
  }
  if (best === undefined || !Number.isFinite(best.score)) throw noScore(candidates.length);
  return {
    best,
    candidates,
    stopped: search.stopped ?? "evaluations",
    choices: choices.map(({ path: of, options }, i) => ({
      path: of,
      options: options.map((option, k) => ({ ...option, probability: at(at(search.probabilities, i), k) })),
    })),
  };
}

function listMarked(recipe: object): readonly SearchedValue[] {
  const marked = listSearched(recipe);
  if (marked.length > 0) return marked;
  throw new UsageError(
    'Cannot search a recipe as a value of it must be marked with a range or with options: none is; write, for example, "weight: { search: [0, 1] }" or "merge_method: { choose: [linear, slerp] }"',
  );
}

/** Returns the values of a candidate in the order of the marks. */
function valuesOf(marked: readonly SearchedValue[], { numbers, options }: MixedCandidate): readonly number[] {
  let [number, choice] = [0, 0];
  return marked.map((of) =>
    isSearchedChoice(of)
      ? at(options, choice++, "choice")
      : fromUnit(of, at(numbers, number++, "coordinate")),
  );
}

/** Names the numbers and the options of a candidate by their paths. */
function nameValues(marked: readonly SearchedValue[], all: readonly number[]) {
  const values: Record<string, number> = {};
  const chosen: Record<string, string> = {};
  for (const [i, of] of marked.entries()) {
    const value = at(all, i, "value");
    if (isSearchedChoice(of)) chosen[of.path] = at(of.options, value, "option");
    else values[of.path] = value;
  }
  return { values, chosen };
}

/** Counts of the options of a choice while a search runs. */
interface RunningCounts {
  readonly path: string;
  readonly options: readonly { readonly option: string; tried: number; won: number }[];
}

function countFrom({ path, options }: SearchedChoice): RunningCounts {
  return { path, options: options.map((option) => ({ option, tried: 0, won: 0 })) };
}

/** Counts the options that a candidate has, one of each choice. */
function count(choices: readonly RunningCounts[], options: readonly number[], as: "tried" | "won"): void {
  for (const [i, option] of options.entries()) at(at(choices, i, "choice").options, option, "option")[as]++;
}

/** Checks recipes in which each option of each choice stands once. */
async function checkOptions<T>(
  recipe: T,
  { check, signal }: Pick<SearchRecipeOptions<T>, "check" | "signal">,
): Promise<void> {
  if (check === undefined) return;
  for (const values of valuesOfEachOption(recipe)) {
    signal?.throwIfAborted();
    await check(fillSearched(recipe, values), signal);
  }
}

function assertGeneration(population: number, evaluations: number): void {
  if (evaluations >= population) return;
  throw new InputError(
    `Cannot search a recipe as one generation must fit the evaluations: it has ${population} merges, and there are ${evaluations} evaluations; allow ${population} or more`,
    { input: "recipe" },
  );
}

function noScore(judged: number): InputError {
  const rule = `one candidate must get a finite score: none of ${judged} did; look at what the evaluation prints`;
  return new InputError(`Cannot search a recipe as ${rule}`, { input: "recipe" });
}
