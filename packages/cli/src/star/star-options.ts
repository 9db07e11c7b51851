import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import {
  COMPARE_PREDICTORS_FIELDS,
  type ComparePredictorsChoice,
  FIND_STAR_DEFAULTS,
  MEASURE_STAR_FIELDS,
  type MeasureStarChoice,
  STAR_SEARCH_FIELDS,
  type StarSearchChoice,
} from "@isthmus/star-domain";
import { NORM_POLICIES, type NormPolicy, STATISTICS_EXAMPLES } from "@isthmus/statistics";
import { addFieldOptions } from "../measurement/field-options.ts";
import { addScalingOptions, type ScalingOptions } from "../open/open-data.ts";
import { addBindingOptions, type BindingOptions } from "../options/binding-options.ts";
import { dataForms } from "../options/data-forms.ts";
import { addEngineOption, type EngineOptions } from "../options/engine-option.ts";
import { HELP_GROUPS } from "../options/help-groups.ts";
import { type AddOptions, optionGroup } from "../options/option-group.ts";
import { parseBytes, parseCount } from "../options/parse-values.ts";
import { addTrainingOptions } from "../training/add-training-options.ts";
import type { TrainingFlags } from "../training/training-options.ts";

/** Options of the verb `star`. */
export type StarVerbOptions = TrainingFlags &
  ScalingOptions &
  BindingOptions &
  EngineOptions &
  Required<Omit<StarSearchChoice, "statisticsExamples">> &
  Required<Pick<MeasureStarChoice, "points">> &
  Pick<ComparePredictorsChoice, "members"> & {
    /** File of the architecture. @defaultValue the config.json of the networks, or `net` */
    readonly graph?: string | undefined;
    /**
     * Short string of the architecture; with it, the star starts at random weights.
     * @defaultValue `graph` decides
     */
    readonly net?: string | undefined;
    /** Files or folders of networks that the star is verified on. @defaultValue none */
    readonly heldOut?: readonly string[] | undefined;
    /**
     * File of the network that the star starts from.
     * @defaultValue the mean of the anchors, or random weights with `net`
     */
    readonly from?: string | undefined;
    /** Name of the examples to train on; without a split, the training examples. */
    readonly data: string;
    /** Bytes of memory for anchors; anchors beyond it are read again each time. @defaultValue 2^30 */
    readonly memory: number;
    /** Whether anchors and pairs are aligned; false with `--no-align`. */
    readonly align: boolean;
    /** Number of pairs of regular networks. */
    readonly pairs: number;
    /** Policy for the statistics of batch norms between two networks. @defaultValue "recalibrate" */
    readonly statistics?: NormPolicy | undefined;
    /** Number of the first examples of `data` on which batch norms are measured. @defaultValue 2500 */
    readonly recalibrateExamples: number;
    /** Name of the examples that barriers are measured on. @defaultValue `data` */
    readonly measureData?: string | undefined;
    /**
     * Name of the examples to predict, or `none`.
     * @defaultValue the test split of `data`, or else its validation split
     */
    readonly testData?: string | undefined;
    /** Name of the examples of other data, on which predictions should be unsure. @defaultValue none */
    readonly oodData?: string | undefined;
    /** File for the star, ending in `.safetensors`. */
    readonly output: string;
    /**
     * True to go on from the state that an interrupted search left beside the output.
     * @defaultValue a new search
     */
    readonly resume?: true | undefined;
    /** File for a page with all pairs and predictions. @defaultValue not written */
    readonly report?: string | undefined;
  };

/** Adds the options of the verb `star`. */
export const addStarOptions: AddOptions<StarVerbOptions> = optionGroup((command) => {
  addNetworks(command);
  addBindingOptions(addTrainingOptions(addScalingOptions(command), { leastEpochs: 1 }));
  addSearch(command);
  addMeasurement(command);
  addOutput(command);
});

function addNetworks(command: CommandUnknownOpts): void {
  command
    .option(
      "--graph <file>",
      "their architecture, an .onnx file or the model.json of a LayersModel (default: from their config.json)",
    )
    .option(
      "--net <name>",
      "their architecture by its name for isthmus train --net; the star then starts at random",
    )
    .option("--held-out <files...>", "networks that the star is not found from, but verified on")
    .option("--from <file>", "where the star starts (default: the mean of the anchors, or random with --net)")
    .requiredOption(
      "--data <name>",
      `examples to train on; ${dataForms(":train (if not said), :test or :val")}`,
    );
}

/** Fields of the search; the examples of statistics are an option of the measurement, too. */
const { statisticsExamples: _, ...SEARCH_FIELDS } = STAR_SEARCH_FIELDS;

function addSearch(command: CommandUnknownOpts): void {
  addFieldOptions(command.optionsGroup(HELP_GROUPS.searching), SEARCH_FIELDS);
  command.option(
    "--memory <size>",
    "memory for anchors; anchors beyond it are read again each time",
    parseBytes,
    FIND_STAR_DEFAULTS.memory,
  );
  addEngineOption(command);
}

function addMeasurement(command: CommandUnknownOpts): void {
  command
    .optionsGroup(HELP_GROUPS.measured)
    .option("--measure-data <name>", "examples that barriers are measured on (default: --data)")
    .option("--no-align", "measure pairs as trained, and move no anchors")
    .addOption(
      new Option(
        "--statistics <policy>",
        "whether statistics of batch norms are measured anew between two networks, or kept (default: recalibrate)",
      ).choices(NORM_POLICIES),
    )
    .option(
      "--recalibrate-examples <n>",
      "measure batch norms on the first n of --data",
      parseCount(1),
      STATISTICS_EXAMPLES,
    )
    .option(
      "--test-data <name>",
      'examples to predict, or "none" (default: the test split of --data, or else its validation split, if it has one and names none)',
    )
    .option(
      "--ood-data <name>",
      "examples of other data, scaled as --data, on which predictions should be unsure",
    );
  const { points, regularPairs } = MEASURE_STAR_FIELDS;
  addFieldOptions(command, { points, regularPairs, members: COMPARE_PREDICTORS_FIELDS.members });
}

function addOutput(command: CommandUnknownOpts): void {
  command
    .optionsGroup(HELP_GROUPS.output)
    .requiredOption("-o, --output <file>", "the star, a file ending in .safetensors")
    .option("--resume", "go on from OUTPUT.state.safetensors if an interrupted search left one")
    .option("--report <file>", "write a page with all pairs and predictors (.html)");
}
