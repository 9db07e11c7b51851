import {
  type Command,
  type CommandUnknownOpts,
  Option,
  type OptionValues,
} from "@commander-js/extra-typings";
import { TRAIN_DEFAULTS } from "@isthmus/training";
import { MOST, parseCount, parseNumber, parseSeed } from "../options/parse-values.ts";
import {
  LEARNING_RATES,
  LOSS_NAMES,
  MOMENTUM,
  OPTIMIZER_NAMES,
  SCHEDULE_NAMES,
  type TrainingFlags,
} from "./training-options.ts";

const collect = (name: string, before: readonly string[] | undefined) => [...(before ?? []), name];

/**
 * Adds the options of every verb that trains: how images are changed, loss, optimiser, schedule, and what decides the bytes.
 * @param leastEpochs - 0 where a network that was not trained at all is a result, too
 */
export function addTrainingOptions<A extends unknown[], O extends OptionValues>(
  command: Command<A, O>,
  leastEpochs: 0 | 1 = 0,
): Command<A, O & TrainingFlags> {
  const untyped = (command as CommandUnknownOpts).optionsGroup("How to train:");
  addLength(untyped, leastEpochs);
  for (const add of [addObjective, addOptimizer, addSchedule, addMachine]) add(untyped);
  return command as unknown as Command<A, O & TrainingFlags>;
}

function addLength(command: CommandUnknownOpts, leastEpochs: 0 | 1): void {
  command
    .option(
      "--epochs <n>",
      leastEpochs === 0
        ? "times each example is seen; 0 writes the network as it starts"
        : "times each example is seen",
      parseCount(leastEpochs, MOST.epochs),
      TRAIN_DEFAULTS.epochs,
    )
    .option(
      "--batch <n>",
      `examples in a step (default: ${TRAIN_DEFAULTS.batch}, or as many as --graph takes)`,
      parseCount(1),
    )
    .option(
      "--drop-last",
      "leave out what is left of an epoch's examples, instead of going on with them in the next",
    )
    .option("--crop <n>", "pad images by n pixels and crop them at random to their size", parseCount(0))
    .option("--flip", "mirror every other image");
}

function addObjective(command: CommandUnknownOpts): void {
  command
    .addOption(
      new Option(
        "--loss <name>",
        "what is minimised (default: cross-entropy; next-token for language models)",
      ).choices(LOSS_NAMES),
    )
    .option("--label-smoothing <x>", "share of the target that is spread over all classes", parseNumber)
    .option(
      "--freeze <pattern>",
      "parameters to leave as they are, such as 'layers.0.*'; may be repeated",
      collect,
    );
}

function addOptimizer(command: CommandUnknownOpts): void {
  command
    .addOption(
      new Option("--optimizer <name>", "what makes a step of a gradient")
        .choices(OPTIMIZER_NAMES)
        .default("sgd"),
    )
    .option(
      "--lr <x>",
      `learning rate, the largest of the schedule (default: ${LEARNING_RATES.sgd} for sgd, else ${LEARNING_RATES.adam})`,
      parseNumber,
    )
    .option("--momentum <x>", `of sgd (default: ${MOMENTUM})`, parseNumber)
    .option("--nesterov", "let the momentum of sgd look ahead")
    .option("--weight-decay <x>", "shrink weights (default: 0; 0.01 for adamw)", parseNumber)
    .option("--clip <norm>", "scale gradients down to this norm", parseNumber)
    .option("--sam [rho]", "sharpness-aware minimisation: two gradients a step (rho: 0.05)", parseNumber);
}

function addSchedule(command: CommandUnknownOpts): void {
  command
    .addOption(
      new Option("--schedule <name>", "how the learning rate goes").choices(SCHEDULE_NAMES).default("cosine"),
    )
    .option("--warmup <steps>", "steps over which the learning rate rises first", parseCount(0), 0)
    .option("--step-every <epochs>", "of --schedule step: when the rate falls", parseCount(1))
    .option("--step-factor <x>", "of --schedule step: to which share (default: 0.1)", parseNumber);
}

function addMachine(command: CommandUnknownOpts): void {
  command
    .option("--seed <n>", "seed of all that is random", parseSeed, 0)
    .option("--threads <n>", "threads of the engine; 0 lets it choose", parseCount(0), 0)
    .option(
      "--save-every <steps>",
      "write the state every so often, not after epochs only",
      parseCount(0),
      0,
    );
}
