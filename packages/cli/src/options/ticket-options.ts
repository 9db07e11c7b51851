import { Option } from "@commander-js/extra-typings";
import { ROUNDS_FIELDS, TICKET_METHODS, type TicketMethod } from "@isthmus/sparsity";
import { EVOLUTION_FIELDS } from "@isthmus/training";
import { addFieldOptions, type Fields } from "../measurement/field-options.ts";
import { type AddOptions, optionGroup } from "./option-group.ts";
import { MOST, parseCount, parseNumber } from "./parse-values.ts";

/** Options for training a pruned network again. */
export type TicketOptions = {
  /**
   * Probability with which pruned weights are still present at first, in training that lets them fade.
   * @defaultValue absent at once
   */
  readonly anneal?: number | undefined;
  /** Epoch whose weights each round goes back to; 0 for the start. @defaultValue no rounds */
  readonly rewind?: number | undefined;
  /** Number of rounds of pruning and training; absent without `--rewind`. @defaultValue 5 */
  readonly rounds?: number | undefined;
  /** Method that trains rounds: gradients, or evolution strategies. @defaultValue "gradient" */
  readonly method: TicketMethod;
  /** Number of generations of each round; for evolution strategies alone. @defaultValue 500 */
  readonly generations?: number | undefined;
  /**
   * Number of networks in each generation, an even number; for evolution strategies alone.
   * @defaultValue 64
   */
  readonly population?: number | undefined;
};

/** Adds the options for training a pruned network again: with masks that fade, or in rounds. */
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
    .addOption(
      new Option(
        "--method <method>",
        "how rounds are trained: by gradients, or by evolution strategies, which prune by signal to noise",
      )
        .choices(TICKET_METHODS)
        .default("gradient"),
    );
  addFieldOptions(command, fieldsOf("--rewind", { rounds: ROUNDS_FIELDS.rounds }));
  const { generations, population } = EVOLUTION_FIELDS;
  addFieldOptions(command, fieldsOf("--method evolution", { generations, population }));
});

/**
 * Returns fields of options that are allowed only with another option: the help names their defaults, but
 * they have none of their own.
 */
function fieldsOf(flag: string, fields: Fields): Fields {
  const said = Object.entries(fields).map(([name, field]) => {
    const help = `of ${flag}: ${field.help} (default: ${field.default})`;
    return [name, { ...field, default: undefined, help }] as const;
  });
  return Object.fromEntries(said);
}
