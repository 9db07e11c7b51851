import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { UsageError } from "@isthmus/core";
import {
  CURRICULUM_DEFAULTS,
  CURRICULUM_ORDERS,
  CURRICULUM_PACINGS,
  type LocalTrainingOptions,
  WASSERSTEIN_DEFAULTS,
} from "@isthmus/training";
import { addRareOptions, HELP_GROUPS } from "../options/help-groups.ts";
import { type AddOptions, optionGroup } from "../options/option-group.ts";
import { parseCount, parseNumber } from "../options/parse-values.ts";

/** Options of the command line for the training of a client. */
export type LocalFlags = {
  /** Strength of the pull towards the weights at the start, mu of FedProx. @defaultValue no pull */
  readonly proximal?: number | undefined;
  /**
   * Order in which examples are added, by their loss at the start.
   * @defaultValue all examples from the beginning
   */
  readonly curriculum?: (typeof CURRICULUM_ORDERS)[number] | undefined;
  /** Function by which the number of examples grows; only with `curriculum`. @defaultValue "linear" */
  readonly pacing?: (typeof CURRICULUM_PACINGS)[number] | undefined;
  /** Share of the examples at the start, in `(0, 1]`; only with `curriculum`. @defaultValue 0.2 */
  readonly curriculumStart?: number | undefined;
  /**
   * Share of the steps after which all examples are added, in `[0, 1]`; only with `curriculum`.
   * @defaultValue 0.8
   */
  readonly curriculumFull?: number | undefined;
  /**
   * Penalty of the squared distance by which examples are moved to be harder, gamma of WAFL.
   * @defaultValue examples stay
   */
  readonly wasserstein?: number | undefined;
  /** Number of steps of ascent for each example; only with `wasserstein`. @defaultValue 10 */
  readonly wassersteinSteps?: number | undefined;
  /** Length of these steps, below `1 / gamma`; only with `wasserstein`. @defaultValue `1 / (2 gamma)` */
  readonly wassersteinStepSize?: number | undefined;
};

/** Adds the options for the training of a client of a federation. */
export const addLocalOptions: AddOptions<LocalFlags> = optionGroup((command) => {
  addRareOptions(command.optionsGroup(HELP_GROUPS.client), addClientOptions);
});

function addClientOptions(command: CommandUnknownOpts): void {
  command.option(
    "--proximal <mu>",
    "stay near the weights at the start: add mu / 2 times the squared distance to the loss (FedProx)",
    parseNumber,
  );
  addCurriculum(command);
  addWasserstein(command);
}

function addCurriculum(command: CommandUnknownOpts): void {
  const { pacing, start, full } = CURRICULUM_DEFAULTS;
  command
    .addOption(
      new Option(
        "--curriculum <order>",
        "begin with some examples, by their loss at the start, and add the others",
      ).choices(CURRICULUM_ORDERS),
    )
    .addOption(
      new Option("--pacing <name>", `of --curriculum: how the examples grow (default: ${pacing})`).choices(
        CURRICULUM_PACINGS,
      ),
    )
    .option(
      "--curriculum-start <share>",
      `of --curriculum: share of the examples at the start (default: ${start})`,
      parseNumber,
    )
    .option(
      "--curriculum-full <share>",
      `of --curriculum: share of the steps until there are all (default: ${full})`,
      parseNumber,
    );
}

function addWasserstein(command: CommandUnknownOpts): void {
  command
    .option(
      "--wasserstein <gamma>",
      "move examples to where they are hard before each step; gamma is the penalty of squared distance (WAFL)",
      parseNumber,
    )
    .option(
      "--wasserstein-steps <n>",
      `of --wasserstein: steps of ascent (default: ${WASSERSTEIN_DEFAULTS.steps})`,
      parseCount(1),
    )
    .option(
      "--wasserstein-step-size <x>",
      "of --wasserstein: their length, below 1 / gamma (default: 1 / (2 gamma))",
      parseNumber,
    );
}

/**
 * Returns the options of `train` for clients that the command line asks for.
 * @throws UsageError if an option belongs to another that is missing
 */
export function localOptions(flags: LocalFlags): LocalTrainingOptions {
  const { proximal, curriculum, wasserstein } = flags;
  const ofCurriculum = { pacing: flags.pacing, start: flags.curriculumStart, full: flags.curriculumFull };
  const ofWasserstein = { steps: flags.wassersteinSteps, stepSize: flags.wassersteinStepSize };
  if (curriculum === undefined) {
    assertNone(ofCurriculum, "--pacing, --curriculum-start and --curriculum-full", "--curriculum ORDER");
  }
  if (wasserstein === undefined) {
    assertNone(ofWasserstein, "--wasserstein-steps and --wasserstein-step-size", "--wasserstein GAMMA");
  }
  return {
    ...(proximal !== undefined && { proximal: { mu: proximal } }),
    ...(curriculum !== undefined && { curriculum: { order: curriculum, ...ofCurriculum } }),
    ...(wasserstein !== undefined && { wasserstein: { gamma: wasserstein, ...ofWasserstein } }),
  };
}

function assertNone(options: Readonly<Record<string, unknown>>, names: string, owner: string): void {
  if (Object.values(options).every((value) => value === undefined)) return;
  throw new UsageError(`Cannot train as ${names} belong to another option: give ${owner}, too`);
}
