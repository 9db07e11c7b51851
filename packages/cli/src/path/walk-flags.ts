import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { UsageError } from "@isthmus/core";
import { MEASURE_WALKED_PATH_DEFAULTS } from "@isthmus/paths";
import { type AddOptions, optionGroup } from "../options/option-group.ts";
import { MOST, parseCount, parseNumber } from "../options/parse-values.ts";
import { OPTIMIZER_NAMES } from "../training/training-options.ts";

/** Options of a path that is walked layer by layer. */
export type WalkFlags = {
  readonly trainData?: string | undefined;
  readonly moves?: number | undefined;
  readonly trainSteps?: number | undefined;
  readonly batch?: number | undefined;
  readonly optimizer?: (typeof OPTIMIZER_NAMES)[number] | undefined;
  readonly lr?: number | undefined;
  readonly points?: number | undefined;
  readonly bezier?: true | undefined;
  readonly networks?: string | undefined;
  readonly journal?: string | undefined;
};

const DEFAULTS = MEASURE_WALKED_PATH_DEFAULTS;

/** Adds the options of a path that is walked layer by layer. */
export const addWalkFlags: AddOptions<WalkFlags> = optionGroup((command: CommandUnknownOpts) => {
  command
    .option(
      "--train-data <name>",
      "of --by walk: examples to train on (default: the training split of mnist, fashion-mnist and texts)",
    )
    .option(
      "--moves <n>",
      `of --by walk: moves in which a layer reaches its place (default: ${DEFAULTS.moves})`,
      parseCount(1, MOST.places),
    )
    .option(
      "--train-steps <n>",
      `of --by walk: steps of training before each move (default: ${DEFAULTS.trainSteps})`,
      parseCount(1),
    )
    .option("--batch <n>", "of --by walk: examples in a step (default: as train chooses them)", parseCount(1))
    .addOption(
      new Option("--optimizer <name>", "of --by walk: the rule that makes a step (default: sgd)").choices(
        OPTIMIZER_NAMES,
      ),
    )
    .option(
      "--lr <x>",
      `of --by walk: learning rate of all steps (default: ${DEFAULTS.learningRate})`,
      parseNumber,
    )
    .option(
      "--points <n>",
      `of --by walk: places on the lines beside the path (default: ${DEFAULTS.points})`,
      parseCount(2, MOST.places),
    )
    .option("--bezier", "of --by walk: train a Bezier curve as long, too, and draw it beside the path")
    .option("--networks <folder>", "of --by walk: write the network each time a layer has reached its place")
    .option(
      "--journal <file>",
      "of --by walk: keep measured points in this file, and go on from it after an interruption",
    );
});

const WALK_FLAGS = [
  ["trainData", "--train-data"],
  ["moves", "--moves"],
  ["trainSteps", "--train-steps"],
  ["batch", "--batch"],
  ["optimizer", "--optimizer"],
  ["lr", "--lr"],
  ["points", "--points"],
  ["bezier", "--bezier"],
  ["networks", "--networks"],
  ["journal", "--journal"],
] as const;

/** @throws UsageError if options of a walk are given for a path that is none */
export function assertNoWalkFlags(options: WalkFlags): void {
  const [, flag] = WALK_FLAGS.find(([name]) => options[name] !== undefined) ?? [];
  if (flag === undefined) return;
  throw new UsageError(
    `Cannot measure a path as ${flag} belongs to a walk, layer by layer: ask for it by --by walk, or leave ${flag} out`,
  );
}
