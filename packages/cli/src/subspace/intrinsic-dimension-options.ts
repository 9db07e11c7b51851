import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import {
  DIMENSION_SEARCH_FIELDS,
  MEASURE_INTRINSIC_DIMENSION_DEFAULTS,
  SUBSPACE_LEARNING_RATE,
} from "@isthmus/subspace";
import { NETWORK_FORMS } from "@isthmus/zoo";
import { addFieldOptions } from "../measurement/field-options.ts";
import type { BindingOptions } from "../open/bind-architecture.ts";
import { addScalingOptions, type ScalingOptions } from "../open/open-data.ts";
import { dataForms } from "../options/data-forms.ts";
import { HELP_GROUPS } from "../options/help-groups.ts";
import { type AddOptions, optionGroup } from "../options/option-group.ts";
import { parseCount, parseNumber } from "../options/parse-values.ts";

/** Options of a verb that measures intrinsic dimensions: what is trained. */
export type TrainedFlags = Omit<BindingOptions, "loss"> &
  ScalingOptions & {
    readonly net?: string | undefined;
    readonly graph?: string | undefined;
    readonly from?: string | undefined;
    readonly data: string;
    readonly evalData?: string | undefined;
    readonly shuffleLabels?: true | undefined;
  };

/** Options that say what is searched and have no field, and where results go. */
export type SearchFlags = {
  readonly subspaceLr: number;
  readonly runs: number;
  readonly journal?: string | undefined;
  readonly output?: string | undefined;
  readonly report?: string | undefined;
};

/** Adds the options that say what is trained, and on what. */
export const addTrainedOptions: AddOptions<TrainedFlags> = optionGroup((command) => {
  command
    .optionsGroup(HELP_GROUPS.networks)
    .option("--net <name>", `a network to build: ${NETWORK_FORMS.join(", ")}`)
    .option("--graph <file>", "the architecture to train, an .onnx file")
    .option("--from <file>", "a checkpoint that all seeds start from (default: random weights of each seed)");
  addScalingOptions(command)
    .requiredOption("--data <name>", dataForms(":train (if not said), :test or :val"))
    .option(
      "--eval-data <name>",
      "examples that accuracies are measured on (default: the test split of --data, or else its validation split, if it has one and names none)",
    )
    .option(
      "--shuffle-labels",
      "train on labels in another order, and measure how many of them are learned by heart",
    );
});

/** Adds the options that say what is searched, and where results go. */
export const addSearchOptions: AddOptions<SearchFlags> = optionGroup((command) => {
  for (const add of [addSearch, addPlaces]) add(command);
});

function addSearch(command: CommandUnknownOpts): void {
  command.optionsGroup(HELP_GROUPS.searching);
  addFieldOptions(command, DIMENSION_SEARCH_FIELDS);
  command
    .option(
      "--subspace-lr <x>",
      "learning rate in subspaces, the largest of the schedule",
      parseNumber,
      SUBSPACE_LEARNING_RATE,
    )
    .option(
      "--runs <n>",
      "trainings in each dimension, from --seed on",
      parseCount(1),
      MEASURE_INTRINSIC_DIMENSION_DEFAULTS.seeds.length,
    );
}

function addPlaces(command: CommandUnknownOpts): void {
  command
    .optionsGroup(HELP_GROUPS.output)
    .option(
      "--journal <file>",
      "keep finished trainings in this file, and go on from it after an interruption",
    )
    .option("-o, --output <file>", "write the result, with every accuracy (.json)")
    .option("--report <file>", "write a page with the figure and all numbers (.html)");
}
