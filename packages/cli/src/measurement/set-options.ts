import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { UsageError } from "@isthmus/core";
import { CUE_KINDS, type CueKind, counterfactuals, PLANT_CUE_DEFAULTS } from "@isthmus/data";
import type { Subjects } from "@isthmus/findings";
import type { DataSet } from "@isthmus/graph";
import { openExamples, type ScalingOptions } from "../open/open-data.ts";
import { collect, parseNumber, parseSeed } from "../options/parse-values.ts";

/** Options that name the sets of examples to measure on, beside `--data`. */
export type SetOptions = ScalingOptions & {
  /**
   * Kind of the cue that is planted in the examples of `--data`.
   * @defaultValue "place", unless `--set` names other sets
   */
  readonly cue?: CueKind;
  /** Share of the examples that get a cue, in `[0, 1]`. @defaultValue 1 */
  readonly cueShare?: number;
  /** Seed of the random choices of the cue. @defaultValue 0 */
  readonly cueSeed?: number;
  /** Further sets of examples, each as `NAME=DATA`. @defaultValue none */
  readonly set?: readonly string[];
};

/** Adds the options that name the sets of examples to measure on. */
export function addSetOptions(command: CommandUnknownOpts): void {
  command
    .addOption(
      new Option(
        "--cue <kind>",
        "measure on the data with this cue, without, with cues of random classes, and with images of other examples",
      ).choices(CUE_KINDS),
    )
    .option("--cue-share <s>", "share of the examples with a cue", parseNumber, PLANT_CUE_DEFAULTS.share)
    .option("--cue-seed <n>", "seed of the cue", parseSeed, PLANT_CUE_DEFAULTS.seed)
    .addOption(
      new Option(
        "--set <name=data>",
        "measure on other examples, too; may be repeated (default: those of --cue place)",
      ).argParser(collect),
    );
}

/**
 * Opens sets of examples: `--data` with and without a cue, and others that options name.
 * @throws UsageError if the name of a set is missing or used twice
 */
export async function openSets(
  attempt: string,
  { data, graph }: Subjects["pair"],
  options: SetOptions,
): Promise<Record<string, DataSet>> {
  const { set = [], cueShare: share, cueSeed: seed } = options;
  const cue = options.cue ?? (set.length === 0 ? PLANT_CUE_DEFAULTS.kind : undefined);
  const planted = { ...(share !== undefined && { share }), ...(seed !== undefined && { seed }) };
  const sets: Record<string, DataSet> =
    cue === undefined ? { data } : { ...counterfactuals(data, { kind: cue, ...planted }) };
  const inputs = graph.inputs.map((input) => input.name);
  for (const text of set) {
    const [, name, source] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
    if (name === undefined || source === undefined || Object.hasOwn(sets, name)) {
      throw new UsageError(
        `Cannot ${attempt} as --set must be a new name, =, and a data set, for example drawings=npz:drawings.npz: it is "${text}"`,
      );
    }
    sets[name] = await openExamples(source, options, { inputs });
  }
  return sets;
}
