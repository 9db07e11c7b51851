import {
  type Command,
  type CommandUnknownOpts,
  Option,
  type OptionValues,
} from "@commander-js/extra-typings";
import { UsageError } from "@isthmus/core";
import type { DataSet } from "@isthmus/graph";
import { LINEAR_KINDS, type LinearKind } from "@isthmus/symmetry";
import {
  type AlignOptions,
  MATCH_ACTIVATIONS_DEFAULTS,
  MATCH_METHODS,
  MATCH_SEARCHES,
  MATCH_WEIGHTS_DEFAULTS,
  type MatchMethod,
  type MatchSearch,
} from "@isthmus/weight-matching";
import { dataContext, type ReadArchitecture } from "@isthmus/zoo";
import { addScalingOptions, openExamples, type ScalingOptions } from "../open/open-data.ts";
import { MOST, parseBytes, parseChoices, parseCount, parseNames, parseSeed } from "./parse-values.ts";

/** What a verb that aligns is told of how; an alias, as commander wants types with an implicit index signature. */
export type MatchVerbOptions = ScalingOptions & {
  readonly method: MatchMethod;
  readonly seed: number;
  readonly restarts: number;
  readonly matchExamples: number;
  readonly search?: MatchSearch | undefined;
  readonly memory?: number | undefined;
  readonly only?: readonly string[] | undefined;
  readonly skip?: readonly string[] | undefined;
  readonly normalize?: readonly LinearKind[] | undefined;
};

/** Examples that `--match-examples` takes when it is not given. */
const MATCH_EXAMPLES = MATCH_ACTIVATIONS_DEFAULTS.examples;

/**
 * Adds the options of every verb that aligns, and those of how data are scaled.
 * @param data - the option that names the examples for `--method`
 */
export function addMatchOptions<A extends unknown[], O extends OptionValues>(
  command: Command<A, O>,
  data: "--data" | "--match-data" = "--data",
): Command<A, O & MatchVerbOptions> {
  addScalingOptions(command as CommandUnknownOpts)
    .option(
      "--restarts <n>",
      "searches; the best wins",
      parseCount(1, MOST.searches),
      MATCH_WEIGHTS_DEFAULTS.restarts,
    )
    .addOption(
      new Option("--method <name>", METHOD_TEXT)
        .choices(MATCH_METHODS)
        .default("weight")
        .makeOptionMandatory(),
    )
    .addOption(new Option("--search <how>", SEARCH_TEXT).choices(MATCH_SEARCHES))
    .option("--memory <size>", MEMORY_TEXT, parseBytes)
    .option("--only <names>", ONLY_TEXT, parseNames)
    .option("--skip <names>", "leave these symmetries as they are; see --only", parseNames)
    .addOption(
      new Option("--normalize [kinds]", NORMALIZE_TEXT)
        .preset(LINEAR_KINDS.join(","))
        .argParser(parseChoices(LINEAR_KINDS)),
    )
    .option("--match-examples <n>", `only the first n of ${data} for --method`, parseCount(1), MATCH_EXAMPLES)
    .option("--seed <n>", "seed of all that is random", parseSeed, 0);
  return command as unknown as Command<A, O & MatchVerbOptions>;
}

const METHOD_TEXT =
  "align by weights, by activations, or by gradients of the loss half-way; the latter two need data";
const SEARCH_TEXT =
  "how --method weight searches: one symmetry after the other, all at once, or both (best, the default)";
const MEMORY_TEXT = "what --method weight may hold, such as 4GB: weights are read whenever they are needed";
const ONLY_TEXT =
  "match only these symmetries by --method weight, as `isthmus symmetry` names them; * and ? are wildcards";
const NORMALIZE_TEXT = `undo more than permutations, as far as the network allows: ${LINEAR_KINDS.join(", ")} (kinds: all)`;

/**
 * Opens the examples that a method matches by.
 * @param data - the examples, or their name
 * @returns undefined if the method needs none, or none were given
 */
export async function openMatchData(
  options: MatchVerbOptions,
  data: string | DataSet | undefined,
  architecture: Pick<ReadArchitecture, "graph" | "model">,
): Promise<DataSet | undefined> {
  if (options.method === "weight") return undefined;
  return typeof data === "string" ? openExamples(data, options, dataContext(architecture)) : data;
}

/**
 * Returns how networks are to be aligned, as options of the library.
 * @param data - the examples; undefined where none were given
 * @throws UsageError if the method needs data and there are none, or options exclude each other
 */
export function matchingOf(
  options: MatchVerbOptions,
  data: DataSet | undefined,
): AlignOptions & {
  readonly method: MatchMethod;
} {
  const { method, seed, restarts, matchExamples, search, memory, only, skip, normalize } = options;
  if (normalize !== undefined && memory !== undefined) {
    throw new UsageError(
      "Cannot align with --normalize and --memory as canonical forms are held in memory: leave one out",
    );
  }
  if (method === "weight") {
    return { method, seed, restarts, normalize, ...given({ search, memory, only, skip }) };
  }
  assertWeightOnly(method, { search, memory, only, skip });
  if (data === undefined) {
    throw new UsageError(
      `Cannot align with --method ${method} as it needs examples: add --data, for example --data mnist:train`,
    );
  }
  const seen = { data, examples: matchExamples };
  return method === "activation"
    ? { method, seed, normalize, ...seen }
    : { method, seed, restarts, normalize, ...seen };
}

/**
 * Checks that `--normalize` is not given where nothing is aligned.
 * @throws UsageError if it is
 */
export function assertAligns(
  attempt: string,
  { align, normalize }: Pick<MatchVerbOptions, "normalize"> & { readonly align?: true | undefined },
): void {
  if (normalize === undefined || align) return;
  throw new UsageError(`Cannot ${attempt} with --normalize alone as it is part of --align: add --align`);
}

/** What was given; absent, not undefined, where it was not. */
function given<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

/**
 * Checks that options of weight matching are not given to another method.
 * @throws UsageError that names the first
 */
function assertWeightOnly(method: MatchMethod, options: object): void {
  const [name] = Object.keys(given(options));
  if (name === undefined) return;
  throw new UsageError(
    `Cannot align with --method ${method} and --${name} as only --method weight takes it: leave one out`,
  );
}
