import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { CUE_KINDS, type CueKind, PLANT_CUE_DEFAULTS } from "@isthmus/data";
import { collect, parseNumber, parseSeed } from "../options/parse-values.ts";

/** Options that name the sets of examples to measure on, beside `--data`. */
export type SetOptions = {
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
