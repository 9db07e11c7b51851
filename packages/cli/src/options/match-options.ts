import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { seedField, UsageError } from "@isthmus/core";
import type { DataSet } from "@isthmus/graph";
import type { PairAlignment } from "@isthmus/measurements/open";
import { LINEAR_KINDS, type LinearKind } from "@isthmus/symmetry";
import {
  type AlignOptions,
  HEAD_GROUPS,
  LEARNED_ENDS,
  LEARNED_PLACES,
  LEARNED_RULES,
  LEARNED_UNITS,
  MATCH_ACTIVATIONS_DEFAULTS,
  MATCH_LEARNED_DEFAULTS,
  MATCH_MANY_DEFAULTS,
  MATCH_METHODS,
  MATCH_SEARCHES,
  MATCH_WEIGHTS_DEFAULTS,
  type MatchMethod,
  type MatchSearch,
} from "@isthmus/weight-matching";
import { addFieldOptions } from "../measurement/field-options.ts";
import { addScalingOptions, type ScalingOptions } from "../open/open-data.ts";
import { addRareOptions, HELP_GROUPS } from "./help-groups.ts";
import { type AddOptions, optionGroup } from "./option-group.ts";
import { declareNeeds } from "./option-needs.ts";
import { addOutputsOption, type OutputsOptions } from "./outputs-option.ts";
import { MOST, parseBytes, parseChoices, parseCount, parseNames, parseNumber } from "./parse-values.ts";

/** Options for the alignment of networks. */
export type MatchVerbOptions = ScalingOptions &
  OutputsOptions & {
    /** Method of the alignment: by weights, activations, gradients or learning. @defaultValue "weight" */
    readonly method: MatchMethod;
    /** Seed of all random choices of the alignment. @defaultValue 0 */
    readonly seed: number;
    /**
     * Number of searches for a pair, and of starts of `--many cycle`, of which the best is taken.
     * @defaultValue 8, or 2 for more than two networks
     */
    readonly restarts?: number | undefined;
    /**
     * Number of examples to match by, the first ones.
     * @defaultValue 10000, or 3000 for the method `learned`
     */
    readonly matchExamples?: number | undefined;
    /**
     * Order in which the method `weight` searches: one symmetry after the other, all at once, or both.
     * @defaultValue "best"
     */
    readonly search?: MatchSearch | undefined;
    /**
     * Bytes of memory for the method `weight`; with it, weights are read each time they are needed.
     * @defaultValue all weights are held
     */
    readonly memory?: number | undefined;
    /**
     * Names of the symmetries that the method `weight` matches, with `*` and `?` as wildcards.
     * @defaultValue all
     */
    readonly only?: readonly string[] | undefined;
    /** Names of the symmetries that the method `weight` leaves out, with wildcards. @defaultValue none */
    readonly skip?: readonly string[] | undefined;
    /** Kinds of symmetries beside permutations that are undone, such as scales. @defaultValue none */
    readonly normalize?: readonly LinearKind[] | undefined;
    /** Number of steps of the method `learned`; 0 for its closed form alone. @defaultValue 300 */
    readonly matchSteps?: number | undefined;
    /** Number of examples in a step of the method `learned`. @defaultValue 64, or 16 texts */
    readonly matchBatch?: number | undefined;
    /** Largest step of the method `learned`, above 0. @defaultValue 0.006, or 0.02 for texts */
    readonly matchRate?: number | undefined;
    /** Place between both networks at which the method `learned` makes its steps. @defaultValue "half" */
    readonly matchAt?: (typeof LEARNED_PLACES)[number] | undefined;
    /**
     * Treatment of hidden units while the method `learned` learns: fixed, or permuted again at each step.
     * @defaultValue "fixed"
     */
    readonly matchUnits?: (typeof LEARNED_UNITS)[number] | undefined;
    /** Rule by which the method `learned` steps in matrices. @defaultValue "adam" */
    readonly matchRule?: (typeof LEARNED_RULES)[number] | undefined;
    /** Networks that the method `learned` moves: all but the reference, or all. @defaultValue "one" */
    readonly matchEnds?: (typeof LEARNED_ENDS)[number] | undefined;
    /**
     * Group of the matrices by which the method `learned` mixes attention heads.
     * @defaultValue "invertible"
     */
    readonly heads?: (typeof HEAD_GROUPS)[number] | undefined;
  };

/** Default of `--match-examples`. */
const MATCH_EXAMPLES = MATCH_ACTIVATIONS_DEFAULTS.examples;

/**
 * Adds the options for the alignment of networks and for the scale of data. The setting is the option that
 * names the examples for `--method`.
 */
export const addMatchOptions: AddOptions<MatchVerbOptions, [data: "--data" | "--match-data"]> = optionGroup(
  (command, data) => {
    addScalingOptions(addOutputsOption(command))
      .optionsGroup(HELP_GROUPS.alignment)
      .addOption(
        new Option("--method <name>", METHOD_TEXT)
          .choices(MATCH_METHODS)
          .default("weight")
          .makeOptionMandatory(),
      )
      .addOption(
        new Option("--normalize [kinds]", NORMALIZE_TEXT)
          .preset(LINEAR_KINDS.join(","))
          .argParser(parseChoices(LINEAR_KINDS)),
      )
      .option(
        "--restarts <n>",
        `number of searches for a pair, and of starts of --many cycle, of which the best is taken (default: ${MATCH_WEIGHTS_DEFAULTS.restarts}; ${MATCH_MANY_DEFAULTS.restarts} for more than two networks, from ${MATCH_MANY_DEFAULTS.starts} start)`,
        parseCount(1, MOST.searches),
      );
    addRareOptions(command, (rare) =>
      addLearnedOptions(
        addWeightOptions(rare).option(
          "--match-examples <n>",
          `match by the first n examples of ${data} only (default: ${MATCH_EXAMPLES}; ${MATCH_LEARNED_DEFAULTS.examples} for --method learned)`,
          parseCount(1),
        ),
      ),
    );
    declareNeeds(command, Object.fromEntries(ONLY_ALIGNING.map((name) => [name, ["align"]])));
    addFieldOptions(command, { seed: seedField("seed of everything random") });
  },
);

/** Names of the options that nothing but an alignment uses. */
const ONLY_ALIGNING = [
  ...["method", "normalize", "restarts", "match-examples", "search", "only", "skip", "match-steps"],
  ...["match-batch", "match-rate", "match-at", "match-units", "match-rule", "match-ends", "heads"],
];

function addWeightOptions(command: CommandUnknownOpts): CommandUnknownOpts {
  return command
    .addOption(new Option("--search <how>", SEARCH_TEXT).choices(MATCH_SEARCHES))
    .option("--memory <size>", MEMORY_TEXT, parseBytes)
    .option("--only <names>", ONLY_TEXT, parseNames)
    .option("--skip <names>", "do not match these symmetries; see --only", parseNames);
}

function addLearnedOptions(command: CommandUnknownOpts): CommandUnknownOpts {
  return command
    .option(
      "--match-steps <n>",
      `steps of --method learned; 0 is its closed form alone (default: ${MATCH_LEARNED_DEFAULTS.steps})`,
      parseCount(0),
    )
    .option(
      "--match-batch <n>",
      "examples in a step of --method learned, such as 64 texts, which learn more steadily (default: 64; 16 of texts)",
      parseCount(1),
    )
    .option(
      "--match-rate <x>",
      "largest step of --method learned (default: 0.006; 0.02 of texts)",
      parseNumber,
    )
    .addOption(new Option("--match-at <place>", AT_TEXT).choices(LEARNED_PLACES))
    .addOption(new Option("--match-units <how>", UNITS_TEXT).choices(LEARNED_UNITS))
    .addOption(new Option("--match-rule <name>", RULE_TEXT).choices(LEARNED_RULES))
    .addOption(new Option("--match-ends <which>", ENDS_TEXT).choices(LEARNED_ENDS))
    .addOption(new Option("--heads <group>", HEADS_TEXT).choices(HEAD_GROUPS));
}

const METHOD_TEXT =
  "align by weights, by activations, by gradients of the loss half-way that pass through permutations, or by learning rotations as well (learned, for transformers); all but weights need data";
const AT_TEXT =
  "where between both networks --method learned makes its steps: half-way (half, the default), or at a place drawn for each step (sampled)";
const UNITS_TEXT =
  "whether hidden units stay where weights matched them while --method learned learns (fixed, the default), or are permuted again at each step, by gradients that pass straight through (straight-through)";
const RULE_TEXT =
  "how --method learned steps in matrices: element by element (adam, the default), or in all directions alike (orthogonal, as Muon does)";
const ENDS_TEXT =
  "which networks --method learned moves: all but the reference (one, the default), or the reference as well, which is brought back in the end (both)";
const HEADS_TEXT =
  "matrices that --method learned mixes attention heads by: any invertible ones, or orthogonal ones, which round less";
const SEARCH_TEXT =
  "how --method weight searches: one symmetry after the other, all at once, or both (best, the default)";
const MEMORY_TEXT =
  "most memory for --method weight, such as 4GB: weights are then read each time they are needed";
const ONLY_TEXT =
  "match only these symmetries by --method weight, by their names in `isthmus symmetry`; * and ? are wildcards";
const NORMALIZE_TEXT = `undo more than permutations, as far as the network allows: ${LINEAR_KINDS.join(", ")} (kinds: all)`;

/**
 * Returns the options of the library for aligning networks as the command line says.
 * @param data - the examples; undefined if none are named
 * @throws UsageError if the method needs data and there are none, or options exclude each other
 */
export function matchingOf(
  options: MatchVerbOptions,
  data: DataSet | undefined,
): AlignOptions & {
  readonly method: MatchMethod;
} {
  const { method } = options;
  const alignment = alignmentOf(options, () => {
    if (data !== undefined) return;
    throw new UsageError(
      `Cannot align with --method ${method} as it needs examples: add --data, for example --data mnist:train`,
    );
  });
  return { ...alignment, ...(method !== "weight" && { data }) } as ReturnType<typeof matchingOf>;
}

/**
 * Returns the options of the library for aligning networks as the command line says, without the examples.
 * @param assertExamples - checks that there are examples, if the method needs some
 * @throws UsageError if options exclude each other
 */
export function alignmentOf(options: MatchVerbOptions, assertExamples: () => void = () => {}): PairAlignment {
  const { method, seed, matchExamples, search, memory, only, skip, normalize } = options;
  const { restarts = MATCH_WEIGHTS_DEFAULTS.restarts } = options;
  if (normalize !== undefined && memory !== undefined) {
    throw new UsageError(
      "Cannot align with --normalize and --memory as canonical forms are held in memory: leave one out",
    );
  }
  if (method === "weight") {
    assertLearnedOnly(method, options);
    return { method, seed, restarts, normalize, ...definedOf({ search, memory, only, skip }) };
  }
  assertWeightOnly(method, { search, memory, only, skip });
  assertExamples();
  if (method === "learned") {
    if (normalize !== undefined) {
      throw new UsageError(
        "Cannot align with --normalize and --method learned as learning moves scales and rotations itself: leave --normalize out",
      );
    }
    const { matchSteps: steps, matchBatch: batchSize, matchRate: learningRate } = options;
    const { matchUnits: units, matchRule: rule, matchEnds: ends, heads } = options;
    const { matchExamples: examples } = options;
    if (learningRate !== undefined && !(learningRate > 0)) {
      throw new UsageError(`Cannot align with --match-rate ${learningRate} as it must be above 0`);
    }
    if (options.restarts !== undefined) {
      throw new UsageError(
        "Cannot align with --restarts by --method learned as it searches once: leave --restarts out",
      );
    }
    const learning = {
      steps,
      batchSize,
      learningRate,
      at: options.matchAt,
      units,
      rule,
      ends,
      heads,
      examples,
    };
    return { method, seed, ...definedOf(learning) };
  }
  assertLearnedOnly(method, options);
  const examples = matchExamples ?? MATCH_EXAMPLES;
  return method === "activation"
    ? { method, seed, normalize, examples }
    : { method, seed, restarts, normalize, examples };
}

/** Returns options without the undefined ones. */
function definedOf<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

/**
 * Checks that no option of learning is given with another method.
 * @throws UsageError if one is; it names the first
 */
function assertLearnedOnly(
  method: MatchMethod,
  { matchSteps, matchBatch, matchRate, matchAt, matchUnits, matchRule, matchEnds, heads }: MatchVerbOptions,
): void {
  const options = {
    "--match-steps": matchSteps,
    "--match-batch": matchBatch,
    "--match-rate": matchRate,
    "--match-at": matchAt,
    "--match-units": matchUnits,
    "--match-rule": matchRule,
    "--match-ends": matchEnds,
    "--heads": heads,
  };
  const [first] = Object.keys(definedOf(options));
  if (first === undefined) return;
  throw new UsageError(`Cannot align with ${first} by --method ${method} as it is of --method learned`);
}

/**
 * Checks that no option of weight matching is given with another method.
 * @throws UsageError if one is; it names the first
 */
function assertWeightOnly(method: MatchMethod, options: object): void {
  const [name] = Object.keys(definedOf(options));
  if (name === undefined) return;
  throw new UsageError(
    `Cannot align with --method ${method} and --${name} as only --method weight has this option: got both; leave one out`,
  );
}
