import { Option } from "@commander-js/extra-typings";
import { UsageError } from "@isthmus/core";
import { PEFT_COMBINATIONS, type PeftCombination } from "@isthmus/merging";
import { InvalidArgumentError } from "commander";
import { type AddOptions, optionGroup } from "../options/option-group.ts";
import { declareNeeds } from "../options/option-needs.ts";
import { parseCount, parseNumber } from "../options/parse-values.ts";

/** Options of a merge of LoRA adapters. */
export type AdapterOptions = {
  /**
   * Way in which the adapters are merged: one of PEFT's, or `core_NAME` for a method of networks in core
   * space. @defaultValue "cat"
   */
  readonly combination?: PeftCombination | `core_${string}` | undefined;
  /** Rank of the result, for combinations that keep the largest singular values. */
  readonly rank?: number | undefined;
  /** Share of elements that is kept, for combinations that drop some. */
  readonly density?: number | undefined;
};

const COMBINATION_TEXT =
  "of LoRA adapters, as PEFT names them: cat adds the changes exactly (the default), svd keeps their largest singular values; ties_svd, dare_linear_svd, dare_ties_svd and magnitude_prune_svd drop elements of the changes first; the others work on the factors A and B one by one, which is rough: take the same with _svd. Or core_NAME for a method of networks, as core_tsv_m";

const NEEDS = { rank: ["combination"], density: ["combination"] };

/** Adds the options of a merge of LoRA adapters. */
export const addAdapterOptions: AddOptions<AdapterOptions> = optionGroup((command) => {
  command
    .addOption(
      new Option("--combination <type>", COMBINATION_TEXT)
        .choices(PEFT_COMBINATIONS)
        .argParser(parseCombination),
    )
    .option(
      "--rank <n>",
      "of --combination: rank of the result (default: the largest of the adapters)",
      parseCount(1),
    )
    .option(
      "--density <share>",
      "of --combination: share of elements that is kept, in [0, 1] (default: 1)",
      parseNumber,
    );
  declareNeeds(command, NEEDS);
});

function parseCombination(text: string): PeftCombination | `core_${string}` {
  const combination = PEFT_COMBINATIONS.find((name) => name === text);
  if (combination !== undefined) return combination;
  if (text.startsWith("core_")) return `core_${text.slice("core_".length)}`;
  throw new InvalidArgumentError(`Allowed choices are ${PEFT_COMBINATIONS.join(", ")}, core_NAME.`);
}

/**
 * Checks that a merge of networks has no options of adapters.
 * @throws UsageError if it has
 */
export function assertNoAdapterOptions({ combination }: AdapterOptions): void {
  if (combination === undefined) return;
  throw new UsageError(
    `Cannot merge networks with --combination ${combination} as it is for LoRA adapters alone: leave it out`,
  );
}
