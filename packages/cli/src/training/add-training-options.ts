import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { epochsField, LEARNING_RATES, TRAIN_DEFAULTS, TRAINING_FIELDS } from "@isthmus/training";
import { addFieldOptions } from "../measurement/field-options.ts";
import { addRareOptions, HELP_GROUPS } from "../options/help-groups.ts";
import { type AddOptions, optionGroup } from "../options/option-group.ts";
import { parseCount, parseNumber } from "../options/parse-values.ts";
import {
  MOMENTUM,
  OPTIMIZER_NAMES,
  SCHEDULE_NAMES,
  type StepFlags,
  type TrainingFlags,
} from "./training-options.ts";

/** Sort of networks that a verb trains: networks of any graph, or networks of the zoo on images alone. */
type Trained = "any" | "images";

/** Settings in which verbs that train differ. */
export interface TrainingSettings {
  /** Smallest number of epochs: 0 if an untrained network is a result, too. */
  readonly leastEpochs: 0 | 1;
  /** The optimiser that is used if none is named. @defaultValue "sgd" */
  readonly optimizer?: TrainingFlags["optimizer"];
  /** Sort of networks that are trained. @defaultValue "any" */
  readonly trained?: Trained;
  /** Whether a command line chooses the loss. @defaultValue true */
  readonly hasLoss?: boolean;
}

/**
 * Adds the options of every verb that trains: length, changes of images, loss, optimiser, schedule,
 * seed and threads.
 */
export const addTrainingOptions: AddOptions<TrainingFlags, [settings: TrainingSettings]> = optionGroup(
  (command, { leastEpochs, optimizer = "sgd", trained = "any", hasLoss = true }) => {
    command.optionsGroup(HELP_GROUPS.training);
    addFieldOptions(command, { epochs: epochsField(leastEpochs) });
    addBatches(command, trained);
    if (hasLoss) addLoss(command);
    addFieldOptions(command, { freeze: TRAINING_FIELDS.freeze });
    addOptimizer(command, optimizer);
    for (const add of [addSchedule, addMachine]) add(command);
  },
);

/**
 * Adds the options of training to a verb that also trains, but sets the number of epochs and the rates
 * itself.
 */
export const addStepOptions: AddOptions<StepFlags> = optionGroup((command) => {
  command.optionsGroup(HELP_GROUPS.training);
  addBatches(command, "any");
  addLoss(command);
  addFieldOptions(command, { freeze: TRAINING_FIELDS.freeze });
  addOptimizer(command, "sgd");
  addMachine(command);
});

function addBatches(command: CommandUnknownOpts, trained: Trained): void {
  const help = `examples in a step (default: ${TRAIN_DEFAULTS.batch} or all if fewer)`;
  addFieldOptions(command, {
    batch: trained === "any" ? TRAINING_FIELDS.batch : { ...TRAINING_FIELDS.batch, help },
  });
  command
    .option("--crop <n>", "pad images by n pixels and crop them at random to their size", parseCount(0))
    .option("--flip", "mirror every other image");
  addRareOptions(command, (rare) =>
    rare.option(
      "--drop-last",
      "leave out the examples at the end of an epoch that fill no batch, instead of starting the next epoch with them",
    ),
  );
}

function addLoss(command: CommandUnknownOpts): void {
  addFieldOptions(command, { loss: TRAINING_FIELDS.loss });
  addRareOptions(command, (rare) =>
    rare.option("--label-smoothing <x>", "share of the target that is spread over all classes", parseNumber),
  );
}

function addOptimizer(command: CommandUnknownOpts, optimizer: TrainingFlags["optimizer"]): void {
  command
    .addOption(
      new Option("--optimizer <name>", "the rule that makes a step from a gradient")
        .choices(OPTIMIZER_NAMES)
        .default(optimizer),
    )
    .option(
      "--lr <x>",
      `learning rate, the largest of the schedule (default: ${LEARNING_RATES.sgd} for sgd, else ${LEARNING_RATES.adam})`,
      parseNumber,
    )
    .option(
      "--weight-decay <x>",
      "weight decay, which shrinks weights in every step (default: 0, or 0.01 for adamw)",
      parseNumber,
    );
  addRareOptions(command, (rare) =>
    rare
      .option("--momentum <x>", `momentum of sgd (default: ${MOMENTUM})`, parseNumber)
      .option("--nesterov", "use Nesterov's momentum in sgd")
      .option("--clip <norm>", "scale larger gradients down to this norm", parseNumber)
      .option("--sam [rho]", "sharpness-aware minimisation: two gradients a step (rho: 0.05)", parseNumber),
  );
}

function addSchedule(command: CommandUnknownOpts): void {
  command.addOption(
    new Option("--schedule <name>", "how the learning rate changes over the training")
      .choices(SCHEDULE_NAMES)
      .default(TRAIN_DEFAULTS.schedule.kind),
  );
  addRareOptions(command, (rare) =>
    rare
      .option("--warmup <steps>", "steps over which the learning rate rises first", parseCount(0), 0)
      .option(
        "--step-every <epochs>",
        "of --schedule step: the epochs after which the rate falls",
        parseCount(1),
      )
      .option(
        "--step-factor <x>",
        "of --schedule step: the factor by which it falls (default: 0.1)",
        parseNumber,
      ),
  );
}

function addMachine(command: CommandUnknownOpts): void {
  const { seed, threads, saveEvery } = TRAINING_FIELDS;
  addFieldOptions(command.optionsGroup(HELP_GROUPS.running), { seed, threads, saveEvery });
}
