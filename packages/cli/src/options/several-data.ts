import { dataForms } from "./data-forms.ts";
import { HELP_GROUPS } from "./help-groups.ts";
import { type AddOptions, optionGroup } from "./option-group.ts";

/** Options that name the data of several networks. */
export type SeveralDataOptions = {
  /** Names of data sets, which may have the name of a network and `=` before them. */
  readonly data: readonly string[];
  /** Names of data sets to measure on, likewise. @defaultValue what the verb measures on */
  readonly evalData?: readonly string[] | undefined;
};

/** Option that names the architectures of several networks. */
export type SeveralGraphsOption = {
  /** Files, which may have the name of a network and `=` before them. @defaultValue the config.json */
  readonly graph?: readonly string[] | undefined;
};

/** Words about the data of a verb, for its help. */
export interface SeveralDataWords {
  /** Noun for the data, such as "examples". */
  readonly what: string;
  /** Networks that the data belong to, in the order of the data, such as "the networks of --from". */
  readonly of: string;
  /** Splits in words, see `dataForms`. @defaultValue the test split if not said */
  readonly splits?: string;
  /** Examples to measure on without `--eval-data`. @defaultValue the verb has no such option */
  readonly evaluated?: string;
}

const LIKEWISE = "one for all, or for each likewise";

/**
 * Adds the options that name the data of several networks: in the order of the networks or by name, one after
 * the other or each with the option before it.
 */
export const addSeveralDataOptions: AddOptions<SeveralDataOptions, [SeveralDataWords]> = optionGroup(
  (command, { what, of, splits, evaluated }: SeveralDataWords) => {
    command
      .optionsGroup(HELP_GROUPS.networks)
      .requiredOption(
        "--data <names...>",
        `${what} of ${of}, in their order or as NETWORK=data, one after the other or with --data before each; ${dataForms(splits)}`,
      );
    if (evaluated !== undefined) {
      command.option("--eval-data <names...>", `examples to measure on, ${LIKEWISE} (default: ${evaluated})`);
    }
  },
);

/** Adds the option that names the architectures of several networks, which are given like their data. */
export const addSeveralGraphsOption: AddOptions<SeveralGraphsOption> = optionGroup((command) => {
  command.option("--graph <files...>", `the architecture, .onnx, ${LIKEWISE} (default: from config.json)`);
});
