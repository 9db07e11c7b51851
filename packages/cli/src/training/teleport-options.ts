import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { type Checkpoint, UsageError } from "@isthmus/core";
import type { Architecture, DataSet } from "@isthmus/graph";
import {
  openTrainingTeleports,
  TRAINING_TELEPORT_FIELDS,
  type TrainingTeleports,
} from "@isthmus/teleportation";
import { addRareOptions, HELP_GROUPS } from "../options/help-groups.ts";
import { type AddOptions, optionGroup } from "../options/option-group.ts";
import { parseCount, parseNumber } from "../options/parse-values.ts";

/** Options of the command line for teleports in a training. */
export type TeleportFlags = {
  /** Steps of training from one teleport to the next. @defaultValue no teleports */
  readonly teleport?: number | undefined;
  /** Number of teleports; only with `teleport`. @defaultValue 0, for no limit */
  readonly teleportTimes?: number | undefined;
  /** Steps of each teleport; only with `teleport`. @defaultValue 5 */
  readonly teleportSteps?: number | undefined;
  /** Size of these steps; only with `teleport`. @defaultValue 0.02 */
  readonly teleportLr?: number | undefined;
};

const { times, steps, learningRate } = TRAINING_TELEPORT_FIELDS;

/** Adds the options for teleports in a training. */
export const addTeleportOptions: AddOptions<TeleportFlags> = optionGroup((command) => {
  command
    .optionsGroup(HELP_GROUPS.training)
    .option(
      "--teleport <every>",
      "after every so many steps, move the network along its symmetries to where the gradient is larger; it computes the same",
      parseCount(1),
    );
  addRareOptions(command, addDetails);
});

function addDetails(command: CommandUnknownOpts): void {
  const said = ({ help, default: usual }: { readonly help: string; readonly default: unknown }) =>
    `of --teleport: ${help} (default: ${usual})`;
  command
    .option("--teleport-times <n>", said(times), parseCount(0))
    .option("--teleport-steps <n>", said(steps), parseCount(1))
    .option("--teleport-lr <x>", said(learningRate), parseNumber);
}

/**
 * Opens the teleports that the command line asks for; undefined without any.
 * @throws UsageError if an option belongs to `--teleport`, which is missing
 */
export async function openTeleports(
  { teleport: every, teleportTimes, teleportSteps, teleportLr }: TeleportFlags,
  architecture: Architecture,
  start: {
    readonly weights: Checkpoint;
    readonly data: DataSet;
    readonly seed: number;
    readonly batch: number;
  },
): Promise<TrainingTeleports | undefined> {
  const details = { times: teleportTimes, steps: teleportSteps, learningRate: teleportLr };
  if (every === undefined) {
    if (Object.values(details).every((value) => value === undefined)) return undefined;
    throw new UsageError(
      "Cannot train as --teleport-times, --teleport-steps and --teleport-lr belong to another option: give --teleport EVERY, too",
    );
  }
  const { weights, data, seed, batch } = start;
  const chosen = Object.fromEntries(Object.entries(details).filter(([, value]) => value !== undefined));
  return openTrainingTeleports(architecture, weights, data, { every, ...chosen, seed, batch });
}
