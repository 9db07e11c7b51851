import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { InvariantError, UsageError } from "@isthmus/core";
import {
  type BootstrapPosteriorOptions,
  COLLECT_METHODS,
  COLLECT_NETWORKS_DEFAULTS,
  COLLECT_RATES,
  COLLECT_WEIGHT_DECAY,
  type CollectMethod,
  type CollectNetworksOptions,
  SIMPLEX_VERTICES_DEFAULTS,
  type SimplexVerticesOptions,
} from "@isthmus/ensemble";
import type { DataSet, Graph } from "@isthmus/graph";
import { TRAIN_DEFAULTS } from "@isthmus/training";
import { NETWORK_FORMS } from "@isthmus/zoo";
import { addBindingOptions } from "../open/bind-architecture.ts";
import { addScalingOptions, type ScalingOptions } from "../open/open-data.ts";
import { dataForms } from "../options/data-forms.ts";
import { addEngineOption } from "../options/engine-option.ts";
import { HELP_GROUPS } from "../options/help-groups.ts";
import { type AddOptions, optionGroup } from "../options/option-group.ts";
import { MOST, parseCount, parseNumber } from "../options/parse-values.ts";
import { addStepOptions } from "../training/add-training-options.ts";
import type { NetworkOptions } from "../training/open-network.ts";
import { type StepFlags, trainingOptions } from "../training/training-options.ts";

/** Options of the verb `collect`. */
export type CollectVerbOptions = Omit<NetworkOptions, "from" | "loss"> &
  ScalingOptions &
  StepFlags & {
    readonly data: string;
    readonly method: CollectMethod | "posterior" | "spro";
    readonly members?: number | undefined;
    readonly concentration?: number | undefined;
    readonly volume?: number | undefined;
    readonly epochs?: number | undefined;
    readonly lowLr?: number | undefined;
    readonly cycle?: number | undefined;
    readonly perEpoch?: number | undefined;
    readonly average?: true | undefined;
    readonly start: boolean;
    readonly statisticsData?: string | undefined;
    readonly output: string;
    readonly resume?: true | undefined;
  };

/** Adds the options of the verb `collect`. */
export const addCollectOptions: AddOptions<CollectVerbOptions> = optionGroup((command) => {
  command
    .optionsGroup(HELP_GROUPS.networks)
    .option("--graph <file>", "its architecture, an .onnx file")
    .option("--net <name>", `its architecture by name: ${NETWORK_FORMS.join(", ")}`);
  command.requiredOption("--data <name>", dataForms(":train (if not said), :test or :val"));
  addScalingOptions(command);
  addMethod(command);
  addBindingOptions(addStepOptions(command.optionsGroup(HELP_GROUPS.training)));
  addEngineOption(command);
  command
    .optionsGroup(HELP_GROUPS.output)
    .requiredOption("-o, --output <folder>", "net-001.safetensors and so on, and mean.safetensors")
    .option("--resume", "go on from what an interrupted collection left in the folder");
});

function addMethod(command: CommandUnknownOpts): void {
  const ofAll = (what: (method: CollectMethod) => unknown) =>
    COLLECT_METHODS.map((method) => `${method} ${what(method)}`).join(", ");
  command
    .optionsGroup(HELP_GROUPS.collecting)
    .addOption(
      new Option(
        "--method <name>",
        "swa: at the end of each cycle, for their mean; fge: where a rate that falls and rises is lowest, for an ensemble; lgv: several times an epoch at a high rate, for attacks; posterior: networks trained on examples of random weights; spro: vertices of a simplex of low loss, the network the first",
      )
        .choices([...COLLECT_METHODS, "posterior", "spro"])
        .default(COLLECT_NETWORKS_DEFAULTS.method),
    )
    .option(
      "--epochs <n>",
      `times each example is seen (default: ${ofAll((method) => COLLECT_RATES[method].epochs)})`,
      parseCount(1, MOST.epochs),
    )
    .option(
      "--cycle <epochs>",
      `epochs from one network to the next (default: ${ofAll((method) => COLLECT_RATES[method].cycle)})`,
      parseNumber,
    )
    .option("--per-epoch <n>", "networks an epoch, instead of --cycle", parseCount(1))
    .option(
      "--low-lr <x>",
      `lowest learning rate of cycles (default: fge ${COLLECT_RATES.fge.lowRate}; swa keeps to --lr without it)`,
      parseNumber,
    )
    .option(
      "--members <n>",
      `of posterior and spro: networks to train (default: posterior 5, spro ${SIMPLEX_VERTICES_DEFAULTS.members})`,
      parseCount(1),
    )
    .option(
      "--concentration <n>",
      "of posterior: how many examples the first network's predictions count as (default: 0)",
      parseNumber,
    )
    .option(
      "--volume <x>",
      `of spro: weight of the logarithm of the volume beside the loss (default: ${SIMPLEX_VERTICES_DEFAULTS.volume})`,
      parseNumber,
    )
    .option("--average", "write the mean of the weights, too, as swa does")
    .option("--no-start", "leave the network that training starts from out of the mean")
    .option(
      "--statistics-data <name>",
      "examples on which batch norms of the mean are measured (default: the first 2,500 of --data)",
    );
}

/**
 * Returns the options of `collectNetworks` that the command line asks for.
 * @throws UsageError if flags contradict each other
 */
export function collectionOptions(
  options: CollectVerbOptions,
  network: { readonly graph: Graph; readonly data: DataSet },
): CollectNetworksOptions {
  const { method, epochs, lr, lowLr, cycle, perEpoch, average, start } = options;
  if (isOneByOne(method)) throw new InvariantError(`networks by ${method} are not along a training`);
  const { members, concentration, volume } = options;
  if ([members, concentration, volume].some((one) => one !== undefined)) {
    throw new UsageError(
      `Cannot collect networks by ${method} with --members, --concentration or --volume as these are for networks one after another: leave them out, or choose posterior or spro`,
    );
  }
  if (cycle !== undefined && perEpoch !== undefined) {
    throw new UsageError("Cannot collect networks as --cycle and --per-epoch say the same: leave one out");
  }
  const flags = { ...options, epochs: 1, schedule: "constant", warmup: 0 } as const;
  const { epochs: _, schedule: __, optimizer, ...training } = trainingOptions(flags, network);
  return {
    ...training,
    optimizer: optimizer?.kind === "sgd" ? { weightDecay: COLLECT_WEIGHT_DECAY, ...optimizer } : optimizer,
    method,
    ...{ epochs, learningRate: lr, lowRate: lowLr },
    cycle: perEpoch === undefined ? cycle : 1 / perEpoch,
    mean: average,
    withStart: start,
  } as CollectNetworksOptions;
}

/** Tells whether networks are trained one after another, each from the start. */
export function isOneByOne(method: CollectVerbOptions["method"]): method is "posterior" | "spro" {
  return method === "posterior" || method === "spro";
}

/**
 * Returns the options of `bootstrapPosterior` or `simplexVertices` that the command line asks for.
 * @throws UsageError if an option belongs to networks along a training, or to the other method
 */
export function oneByOneOptions(
  options: CollectVerbOptions,
  network: { readonly graph: Graph; readonly data: DataSet },
): { readonly posterior: BootstrapPosteriorOptions; readonly simplex: SimplexVerticesOptions } {
  const { cycle, perEpoch, lowLr, average, statisticsData, method, concentration, volume } = options;
  if ([cycle, perEpoch, lowLr, average, statisticsData].some((one) => one !== undefined)) {
    throw new UsageError(
      `Cannot train networks by ${method} with --cycle, --per-epoch, --low-lr, --average or --statistics-data as these are for networks along one training: leave them out`,
    );
  }
  const other = method === "posterior" ? ({ volume } as const) : ({ concentration } as const);
  for (const [name, value] of Object.entries(other)) {
    if (value === undefined) continue;
    throw new UsageError(
      `Cannot train networks by ${method} with --${name} as it is not of that method: leave it out`,
    );
  }
  const flags = {
    ...options,
    epochs: options.epochs ?? TRAIN_DEFAULTS.epochs,
    schedule: "cosine",
    warmup: 0,
  } as const;
  const { saveEvery: _, ...training } = trainingOptions(flags, network);
  const { members = method === "posterior" ? 5 : SIMPLEX_VERTICES_DEFAULTS.members } = options;
  const shared = { ...training, members };
  return {
    posterior: { ...shared, ...(concentration !== undefined && { concentration }) },
    simplex: { ...shared, ...(volume !== undefined && { volume }) },
  };
}
