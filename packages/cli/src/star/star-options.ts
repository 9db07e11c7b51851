import {
  type Command,
  type CommandUnknownOpts,
  Option,
  type OptionValues,
} from "@commander-js/extra-typings";
import { DATA_SET_FORMS } from "@isthmus/data";
import {
  FIND_STAR_DEFAULTS,
  MEASURE_STAR_DEFAULTS,
  RAY_DISTRIBUTIONS,
  type RayDistribution,
} from "@isthmus/star-domain";
import { NORM_POLICIES, type NormPolicy, STATISTICS_EXAMPLES } from "@isthmus/statistics";
import { addBindingOptions, type BindingOptions } from "../open/bind-architecture.ts";
import { addScalingOptions, type ScalingOptions } from "../open/open-data.ts";
import { type EngineOptions, engineOption } from "../options/engine-option.ts";
import { MOST, parseBytes, parseCount } from "../options/parse-values.ts";
import { addTrainingOptions } from "../training/add-training-options.ts";
import type { TrainingFlags } from "../training/training-options.ts";

/** What the user said of a star; an alias, as commander wants it. */
export type StarVerbOptions = TrainingFlags &
  ScalingOptions &
  BindingOptions &
  EngineOptions & {
    readonly graph?: string | undefined;
    readonly net?: string | undefined;
    readonly heldOut?: readonly string[] | undefined;
    readonly from?: string | undefined;
    readonly data: string;
    readonly rays: RayDistribution;
    readonly alignEvery: number;
    readonly restarts: number;
    readonly memory: number;
    readonly align: boolean;
    readonly points: number;
    readonly pairs: number;
    readonly statistics?: NormPolicy | undefined;
    readonly recalibrateExamples: number;
    readonly measureData?: string | undefined;
    readonly testData?: string | undefined;
    readonly oodData?: string | undefined;
    readonly members?: number | undefined;
    readonly output: string;
    readonly resume?: true | undefined;
    readonly report?: string | undefined;
  };

/** Adds the options of the verb `star`. */
export function addStarOptions<A extends unknown[], O extends OptionValues>(
  command: Command<A, O>,
): Command<A, O & StarVerbOptions> {
  const untyped = command as unknown as CommandUnknownOpts;
  addNetworks(untyped);
  addBindingOptions(untyped);
  addTrainingOptions(addScalingOptions(untyped), 1);
  addSearch(untyped);
  addMeasurement(untyped);
  addOutput(untyped);
  return untyped as unknown as Command<A, O & StarVerbOptions>;
}

function addNetworks(command: CommandUnknownOpts): void {
  command
    .option(
      "--graph <file>",
      "their architecture, an .onnx file or the model.json of a LayersModel (default: of their config.json)",
    )
    .option(
      "--net <name>",
      "their architecture as isthmus train --net has it; the star then starts at random",
    )
    .option("--held-out <files...>", "networks that the star is verified on, and not found from")
    .option("--from <file>", "where the star starts (default: the mean of the anchors, or random with --net)")
    .requiredOption(
      "--data <name>",
      `examples to train on; ${DATA_SET_FORMS.join(", ")}; then :train (if not said) or :test, then @N for the first N`,
    );
}

function addSearch(command: CommandUnknownOpts): void {
  command
    .optionsGroup("How to search:")
    .addOption(
      new Option(
        "--rays <distribution>",
        "how places between star and anchor are drawn: evenly, by Beta(2, 2), or the middle",
      )
        .choices(RAY_DISTRIBUTIONS)
        .default(FIND_STAR_DEFAULTS.rays),
    )
    .option(
      "--align-every <epochs>",
      "align the anchors to the star before every so many epochs; 0 for never",
      parseCount(0),
      FIND_STAR_DEFAULTS.alignEvery,
    )
    .option(
      "--restarts <n>",
      "searches of each of these alignments",
      parseCount(1),
      FIND_STAR_DEFAULTS.restarts,
    )
    .option(
      "--memory <size>",
      "memory for anchors; the others are read again",
      parseBytes,
      FIND_STAR_DEFAULTS.memory,
    )
    .addOption(engineOption());
}

function addMeasurement(command: CommandUnknownOpts): void {
  command
    .optionsGroup("How to measure:")
    .option("--measure-data <name>", "examples that barriers are measured on (default: those of --data)")
    .option(
      "--points <n>",
      "evenly spaced places of each pair",
      parseCount(3, MOST.places),
      MEASURE_STAR_DEFAULTS.points,
    )
    .option(
      "--pairs <n>",
      "pairs of regular networks, drawn from all; 0 for all",
      parseCount(0),
      MEASURE_STAR_DEFAULTS.regularPairs,
    )
    .option("--no-align", "measure pairs as they are, and leave anchors as they are")
    .addOption(
      new Option(
        "--statistics <policy>",
        "what is done about batch norms between two networks (default: recalibrate)",
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
      'examples to predict, or "none" (default: the test split of mnist and fashion-mnist, if --data names none)',
    )
    .option(
      "--ood-data <name>",
      "examples of other data, scaled as --data, that predictions should be unsure of",
    )
    .option(
      "--members <n>",
      "networks on rays whose predictions are averaged (default: as many as anchors)",
      parseCount(1),
    );
}

function addOutput(command: CommandUnknownOpts): void {
  command
    .optionsGroup("Where to:")
    .requiredOption("-o, --output <file>", "the star, a file ending in .safetensors")
    .option("--resume", "go on from OUTPUT.state.safetensors if an interrupted search left one")
    .option("--report <file>", "write a page with all pairs and predictors (.html)");
}
