import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { InvariantError, UsageError } from "@isthmus/core";
import {
  COLLECT_WEIGHT_DECAY,
  COLLECTION_FIELDS,
  type CollectionChoice,
  type CollectionMethod,
  type CollectNetworksOptions,
  type CollectOneByOneOptions,
  findStrayOption,
  isOneByOne,
  membersOf,
} from "@isthmus/ensemble";
import type { DataSet, Graph } from "@isthmus/graph";
import { TRAIN_DEFAULTS } from "@isthmus/training";
import { NETWORK_FORMS } from "@isthmus/zoo";
import { addFieldOptions, flagOf, readFields } from "../measurement/field-options.ts";
import { addScalingOptions, type ScalingOptions } from "../open/open-data.ts";
import { addBindingOptions } from "../options/binding-options.ts";
import { dataForms } from "../options/data-forms.ts";
import { addEngineOption } from "../options/engine-option.ts";
import { HELP_GROUPS } from "../options/help-groups.ts";
import { type AddOptions, optionGroup } from "../options/option-group.ts";
import { parseCount } from "../options/parse-values.ts";
import { addStepOptions } from "../training/add-training-options.ts";
import type { NetworkFlags } from "../training/network-flags.ts";
import { type StepFlags, trainingOptions } from "../training/training-options.ts";

/** Options of the verb `collect`. */
export type CollectVerbOptions = Omit<NetworkFlags, "from" | "loss"> &
  ScalingOptions &
  StepFlags & {
    /** Name of the examples to train on, `--data`; without a split, the training examples. */
    readonly data: string;
    /** Method by which networks are collected, such as `swa` along one training. @defaultValue "swa" */
    readonly method: CollectionMethod;
    /** Number of networks in each epoch, in place of `--cycle`. @defaultValue the method's cycle decides */
    readonly perEpoch?: number | undefined;
    /** True if the mean of the weights is written, too. @defaultValue only by the method `swa` */
    readonly average?: true | undefined;
    /** Whether the network that training starts from is part of the mean; false with `--no-start`. */
    readonly start: boolean;
    /**
     * Name of the examples on which batch norms of the mean are measured.
     * @defaultValue the first 2,500 of `--data`
     */
    readonly statisticsData?: string | undefined;
    /** Folder for the collected networks, `net-001.safetensors` and so on, and their mean. */
    readonly output: string;
    /**
     * True to go on from the state that an interrupted collection left in the folder.
     * @defaultValue a new collection
     */
    readonly resume?: true | undefined;
  };

/** The options of the verb `collect`. */
export interface CollectRequest {
  /** Options of the collection that the command line gives. */
  readonly choice: CollectionChoice;
  /** All options of the verb, with the defaults of the command line. */
  readonly options: CollectVerbOptions;
}

/** Adds the options of the verb `collect`. */
export const addCollectOptions: AddOptions<CollectVerbOptions> = optionGroup((command) => {
  command
    .optionsGroup(HELP_GROUPS.networks)
    .option("--graph <file>", "its architecture, an .onnx file")
    .option("--net <name>", `its architecture by name: ${NETWORK_FORMS.join(", ")}`);
  command.requiredOption("--data <name>", dataForms(":train (if not said), :test or :val"));
  addScalingOptions(command);
  addMethod(command.optionsGroup(HELP_GROUPS.collecting));
  addBindingOptions(addStepOptions(command.optionsGroup(HELP_GROUPS.training)));
  addEngineOption(command);
  command
    .optionsGroup(HELP_GROUPS.output)
    .requiredOption("-o, --output <folder>", "net-001.safetensors and so on, and mean.safetensors")
    .option("--resume", "go on from what an interrupted collection left in the folder");
});

function addMethod(command: CommandUnknownOpts): void {
  addFieldOptions(command, METHOD_FIELDS);
  command
    .option("--per-epoch <n>", "networks an epoch, instead of --cycle", parseCount(1))
    .option("--average", "write the mean of the weights, too, as swa does")
    .option("--no-start", "leave the network that training starts from out of the mean")
    .option(
      "--statistics-data <name>",
      "examples on which batch norms of the mean are measured (default: the first 2,500 of --data)",
    );
}

/** Fields of a collection, but for the learning rate, which is an option of every verb that trains. */
const { learningRate: _rate, ...METHOD_FIELDS } = COLLECTION_FIELDS;

/**
 * Reads the options of a collection.
 * @throws UsageError if an option does not belong to the method
 */
export function readCollection(command: CommandUnknownOpts, options: CollectVerbOptions): CollectionChoice {
  const { method, perEpoch, average, statisticsData } = options;
  const choice: CollectionChoice = readFields("collect networks", command, METHOD_FIELDS);
  const ofTraining = { "--per-epoch": perEpoch, "--average": average, "--statistics-data": statisticsData };
  const named = Object.entries(ofTraining).filter(([, value]) => value !== undefined && isOneByOne(method));
  const stray = findStrayOption(method, choice);
  const flag = stray === undefined ? named[0]?.[0] : flagOf(METHOD_FIELDS, stray);
  if (flag === undefined) return choice;
  throw new UsageError(
    `Cannot collect networks by ${method} with ${flag} as it is not of that method: leave it out`,
  );
}

/**
 * Returns the options of `collectNetworks` that the command line asks for.
 * @throws UsageError if flags contradict each other
 */
export function collectionOptions(
  { choice, options }: CollectRequest,
  network: { readonly graph: Graph; readonly data: DataSet },
): CollectNetworksOptions {
  const { method, lr, perEpoch, average, start } = options;
  const { epochs, lowRate, cycle } = choice;
  if (isOneByOne(method)) throw new InvariantError(`networks by ${method} are not along a training`);
  if (cycle !== undefined && perEpoch !== undefined) {
    throw new UsageError("Cannot collect networks as --cycle and --per-epoch say the same: leave one out");
  }
  const flags = { ...options, epochs: 1, schedule: "constant", warmup: 0 } as const;
  const { epochs: _, schedule: __, optimizer, ...training } = trainingOptions(flags, network);
  return {
    ...training,
    optimizer: optimizer?.kind === "sgd" ? { weightDecay: COLLECT_WEIGHT_DECAY, ...optimizer } : optimizer,
    method,
    epochs,
    learningRate: lr,
    lowRate,
    cycle: perEpoch === undefined ? cycle : 1 / perEpoch,
    mean: average,
    withStart: start,
  } as CollectNetworksOptions;
}

/** Returns the options of `collectOneByOne` that the command line asks for. */
export function oneByOneOptions(
  method: "posterior" | "spro",
  { choice, options }: CollectRequest,
  network: { readonly graph: Graph; readonly data: DataSet },
): Omit<CollectOneByOneOptions, "store" | "onProgress"> {
  const { epochs = TRAIN_DEFAULTS.epochs, concentration, volume } = choice;
  const flags = { ...options, epochs, schedule: "cosine", warmup: 0 } as const;
  const { saveEvery: _, ...training } = trainingOptions(flags, network);
  return { ...training, method, members: membersOf(method, choice.members), concentration, volume };
}
