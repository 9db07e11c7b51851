import type { StatisticsPolicy } from "@isthmus/barrier";
import { type Checkpoint, readJsonFile } from "@isthmus/core";
import { type DataSet, decodeAlignment, permute } from "@isthmus/graph";
import { type AlignedNetwork, alignNetwork, createAligner } from "./aligner.ts";
import { assertOutput } from "./assert-output.ts";
import { openMatching } from "./match-options.ts";
import { type Architecture, openArchitecture } from "./open-architecture.ts";
import { withCheckpoints } from "./open-checkpoints.ts";
import { openData } from "./open-data.ts";
import { type PairOptions, policyOf } from "./pair-options.ts";
import { textContext } from "./text-context.ts";
import type { Context } from "./verb.ts";

/** Two networks to measure between, and with what. */
export interface Pair extends Architecture {
  readonly a: Checkpoint;
  /** B as it was given. */
  readonly given: Checkpoint;
  /** B as it is to be measured: aligned, if that was asked for. */
  readonly b: Checkpoint;
  /** What is known of the alignment, if it was searched for. */
  readonly summary: AlignedNetwork["summary"] | undefined;
  readonly data: DataSet;
  /** Examples to measure statistics on; undefined for the evaluated ones. */
  readonly statisticsData: DataSet | undefined;
  readonly statistics: StatisticsPolicy;
  /** All files that are read. */
  readonly inputs: readonly string[];
}

/** What {@link withPair} opens. */
export interface PairRequest {
  readonly paths: readonly [string, string];
  readonly options: PairOptions;
  /** Files that will be written. */
  readonly outputs: readonly string[];
}

/**
 * Opens two networks with their data, aligns B if asked, hands them to `work`, and closes them whatever happens.
 * @throws TypeError if options exclude each other
 * @throws InputError if an output cannot be written
 */
export async function withPair<T>(
  { paths, options, outputs }: PairRequest,
  context: Context,
  work: (pair: Pair) => Promise<T>,
): Promise<T> {
  const statistics = policyOf(options);
  const architecture = await openArchitecture(options.graph, options);
  const { data, statisticsData } = await openData(options, textContext(architecture.graph));
  const seen = options.matchData ?? statisticsData ?? data;
  const matching = options.align ? await openMatching(options, seen, architecture) : undefined;
  return withCheckpoints(paths, async ([a, given]) => {
    const { alignment } = options;
    const inputs = [
      ...a.files,
      ...given.files,
      options.graph,
      ...(alignment === undefined ? [] : [alignment]),
    ];
    for (const output of outputs) await assertOutput(output, inputs);
    const pair = { ...architecture, a, given, data, statisticsData, statistics, inputs };
    if (matching !== undefined) {
      const aligner = await createAligner(architecture, context, options.normalize);
      const { network, summary } = await alignNetwork(aligner, [a, given], matching, context);
      return work({ ...pair, b: network, summary });
    }
    const b = alignment === undefined ? given : await permuteBy(alignment, { architecture, given, context });
    return work({ ...pair, b, summary: undefined });
  });
}

async function permuteBy(
  file: string,
  {
    architecture,
    given,
    context,
  }: { readonly architecture: Architecture; readonly given: Checkpoint; readonly context: Context },
): Promise<Checkpoint> {
  const json = await readJsonFile(file);
  const { spec } = (await createAligner(architecture, context)).symmetries;
  return permute(decodeAlignment(spec, json), given, spec);
}
