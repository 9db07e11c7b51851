import { Option } from "@commander-js/extra-typings";
import { UsageError } from "@isthmus/core";
import type { DataSet } from "@isthmus/graph";
import {
  type AlignManyOptions,
  type AlignOptions,
  type LearnManyOptions,
  MANY_JUDGES,
  MANY_METHODS,
  type ManyJudge,
  type ManyMethod,
} from "@isthmus/weight-matching";
import { HELP_GROUPS } from "./help-groups.ts";
import { type MatchVerbOptions, matchingOf } from "./match-options.ts";
import { type AddOptions, optionGroup } from "./option-group.ts";
import { parseCount } from "./parse-values.ts";

/** Options for the alignment of more than two networks. */
export type ManyVerbOptions = {
  /** Method that aligns more than two networks. @defaultValue "best" */
  readonly many?: ManyMethod | undefined;
  /** Number of the network, from 1, in whose coordinates the others are put. @defaultValue 1 */
  readonly reference?: number | undefined;
  /**
   * Rule by which the best of several searches is chosen: the greatest objective, or the least loss of the
   * merged network on the examples. @defaultValue "objective"
   */
  readonly judge?: ManyJudge | undefined;
};

const MANY_TEXT =
  "how more than two networks are aligned: each to the reference, each to the sum of the others in rounds (merge-many), all at once through one universe (cycle), pairs of pairs (tree), or the best of the first three, matched on (default: best); --method learned needs none, as all learn at once";

const JUDGE_TEXT =
  "how the best of several searches is chosen for more than two networks: by the objective (the default), or by the loss of their mean on --data, batch norms measured again (merged)";

/** Adds the options for the alignment of more than two networks. */
export const addManyOptions: AddOptions<ManyVerbOptions> = optionGroup((command) => {
  command
    .optionsGroup(HELP_GROUPS.alignment)
    .addOption(new Option("--many <how>", MANY_TEXT).choices(MANY_METHODS))
    .option(
      "--reference <n>",
      "number of the network, from 1, in whose coordinates the others are put (default: 1)",
      parseCount(1),
    )
    .addOption(new Option("--judge <how>", JUDGE_TEXT).choices(MANY_JUDGES));
});

/** Checks whether networks are aligned through a universe: more than two, or two if options ask for it. */
export function alignsMany(
  networks: readonly unknown[],
  { many, reference, judge }: ManyVerbOptions,
): boolean {
  return networks.length > 2 || [many, reference, judge].some((option) => option !== undefined);
}

/**
 * Returns the index of the network in whose coordinates the others are put.
 * @throws UsageError if it is none of the networks
 */
function referenceOf({ reference = 1 }: ManyVerbOptions, count: number): number {
  if (reference <= count) return reference - 1;
  throw new UsageError(
    `Cannot align ${count} networks with --reference ${reference} as it must be the number of one of them: give 1 to ${count}`,
  );
}

/**
 * Returns the options of the library for aligning several networks by learning, all at once.
 * @param data - the examples; undefined if none are named
 * @throws UsageError if options exclude each other, or the reference is none of the networks
 */
export function manyLearningOf(
  options: MatchVerbOptions & ManyVerbOptions,
  data: DataSet | undefined,
  count: number,
): LearnManyOptions {
  const reference = referenceOf(options, count);
  if (options.many !== undefined) {
    throw new UsageError(
      `Cannot align ${count} networks with --many ${options.many} by --method learned as all of them learn at once: leave --many out`,
    );
  }
  if (options.judge !== undefined) {
    throw new UsageError(
      `Cannot align ${count} networks with --judge ${options.judge} by --method learned as it searches once: leave --judge out`,
    );
  }
  const {
    method: _,
    seed,
    data: examples,
    normalize: __,
    ...learning
  } = matchingOf(options, data) as LearnedOptions;
  return { method: "learned", seed, data: examples, reference, learning };
}

/** Options of an alignment by learning, as {@link matchingOf} returns them. */
type LearnedOptions = Extract<AlignOptions, { readonly method: "learned" }>;

/**
 * Returns the options of the library for aligning several networks as the command line says.
 * @param data - the examples; undefined if none are named
 * @param count - number of the networks
 * @throws UsageError if options exclude each other, or the reference is none of the networks
 */
export function manyMatchingOf(
  options: MatchVerbOptions & ManyVerbOptions,
  data: DataSet | undefined,
  count: number,
): AlignManyOptions {
  const { many, judge, matchExamples, restarts } = options;
  const reference = referenceOf(options, count);
  const pair = matchingOf(options, data);
  if (pair.method === "straight-through" || pair.method === "learned") {
    throw new UsageError(
      `Cannot align ${count} networks with --method ${pair.method} as it is for two: align by weights, by activations or by learning`,
    );
  }
  const { seed, normalize } = pair;
  if (judge === "merged" && data === undefined) {
    throw new UsageError(
      `Cannot align ${count} networks with --judge merged as merged networks are judged on examples: add --data, for example --data mnist:train@2000`,
    );
  }
  const activations = matchExamples === undefined ? {} : { examples: matchExamples };
  const onData = { data, judge, activations };
  const shared = { seed, normalize, many, reference, restarts, starts: restarts, ...onData };
  if (pair.method === "activation") return { ...shared, method: "activation" };
  if (options.search !== undefined) {
    throw new UsageError(
      `Cannot align ${count} networks with --search ${options.search} as it is for two: --many says how several are searched`,
    );
  }
  return { ...shared, method: "weight", memory: pair.memory, only: pair.only, skip: pair.skip };
}
