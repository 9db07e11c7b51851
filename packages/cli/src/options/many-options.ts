import { Option } from "@commander-js/extra-typings";
import { UsageError } from "@isthmus/core";
import type { DataSet } from "@isthmus/graph";
import {
  type AlignManyOptions,
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
  "how more than two networks are aligned: each to the reference, each to the sum of the others in rounds (merge-many), all at once through one universe (cycle), pairs of pairs (tree), or the best of the first three, matched on (default: best)";

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
  const { many, reference = 1, judge, matchExamples, restarts } = options;
  if (reference > count) {
    throw new UsageError(
      `Cannot align ${count} networks with --reference ${reference} as it must be the number of one of them: give 1 to ${count}`,
    );
  }
  const pair = matchingOf(options, data);
  if (pair.method === "straight-through" || pair.method === "learned") {
    throw new UsageError(
      `Cannot align ${count} networks with --method ${pair.method} as it is for two: align by weights or by activations`,
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
  const shared = { seed, normalize, many, reference: reference - 1, restarts, ...onData };
  if (pair.method === "activation") return { ...shared, method: "activation" };
  if (options.search !== undefined) {
    throw new UsageError(
      `Cannot align ${count} networks with --search ${options.search} as it is for two: --many says how several are searched`,
    );
  }
  return { ...shared, method: "weight", memory: pair.memory, only: pair.only, skip: pair.skip };
}
