import { Option } from "@commander-js/extra-typings";
import { ITERATIVE_DEFAULTS, TICKET_METHODS, type TicketMethod } from "@isthmus/sparsity";
import { EVOLUTION_DEFAULTS } from "@isthmus/training";
import { type AddOptions, optionGroup } from "./option-group.ts";
import { MOST, parseCount, parseNumber } from "./parse-values.ts";

/** The options on how a pruned network is trained again. */
export type TicketOptions = {
  readonly anneal?: number | undefined;
  readonly rewind?: number | undefined;
  readonly rounds?: number | undefined;
  readonly method: TicketMethod;
  readonly generations?: number | undefined;
  readonly population?: number | undefined;
};

/** Adds the options on how a pruned network is trained again: with masks that fade, or in rounds. */
export const addTicketOptions: AddOptions<TicketOptions> = optionGroup((command) => {
  command
    .option(
      "--anneal <p>",
      "let pruned weights be there with this probability at first, falling to 0 while training",
      parseNumber,
    )
    .option(
      "--rewind <epoch>",
      "find a lottery ticket: train the network for --epochs, prune, go back to its weights after so many epochs (0: as it is), and so on",
      parseCount(0, MOST.epochs),
    )
    .option(
      "--rounds <n>",
      `rounds of --rewind (default: ${ITERATIVE_DEFAULTS.rounds})`,
      parseCount(1, MOST.epochs),
    )
    .addOption(
      new Option(
        "--method <method>",
        "how rounds are trained: by gradients, or by evolution strategies, which prune by signal to noise",
      )
        .choices(TICKET_METHODS)
        .default("gradient"),
    )
    .option(
      "--generations <n>",
      `generations of each round of --method evolution (default: ${EVOLUTION_DEFAULTS.generations})`,
      parseCount(1, MOST.epochs),
    )
    .option(
      "--population <n>",
      `networks of a generation (default: ${EVOLUTION_DEFAULTS.population})`,
      parseCount(2),
    );
});
