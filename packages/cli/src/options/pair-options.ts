import { Option } from "@commander-js/extra-typings";
import { UsageError } from "@isthmus/core";
import {
  STATISTICS_EXAMPLES,
  STATISTICS_POLICIES,
  type StatisticsChoice,
  type StatisticsPolicy,
} from "@isthmus/statistics";
import { addBindingOptions, type BindingOptions } from "../open/bind-architecture.ts";
import type { DataOptions } from "../open/open-data.ts";
import { dataForms } from "./data-forms.ts";
import { addEngineOption, type EngineOptions } from "./engine-option.ts";
import { HELP_GROUPS } from "./help-groups.ts";
import { addMatchOptions, assertAligns, type MatchVerbOptions } from "./match-options.ts";
import { assertNotKept, UNSCORED } from "./norm-options.ts";
import { type AddOptions, optionGroup } from "./option-group.ts";
import { parseCount } from "./parse-values.ts";

/** Options of a verb that measures between two networks. */
export type PairOptions = DataOptions &
  MatchVerbOptions &
  BindingOptions &
  EngineOptions & {
    readonly graph?: string | undefined;
    readonly align?: true | undefined;
    readonly alignment?: string | undefined;
    readonly matchData?: string | undefined;
    readonly statistics?: StatisticsPolicy | undefined;
    /** Of verbs that fit temperatures, too, to the examples that statistics are measured on. */
    readonly temperature?: true | undefined;
  };

/**
 * Adds the options of a verb that measures between two networks: their graph, data, alignment and statistics.
 */
export const addPairOptions: AddOptions<PairOptions> = optionGroup((command) => {
  command
    .option(
      "--graph <file>",
      "their architecture, an .onnx file or the model.json of a LayersModel (default: from their config.json)",
    )
    .requiredOption(
      "--data <name>",
      dataForms(":test (of a text its last tenth, if not said), :train or :val"),
    )
    .optionsGroup(HELP_GROUPS.alignment)
    .option("--align", "align B to A first")
    .option("--alignment <file>", "permute B by an alignment that isthmus align wrote")
    .option("--match-data <name>", "examples for --method (default: the examples for --statistics)")
    .addOption(
      new Option(
        "--statistics <policy>",
        "how statistics of activations are corrected between the ends: recalibrate batch norms, or repair all layers (default: recalibrate if there are batch norms)",
      ).choices(STATISTICS_POLICIES),
    )
    .option(
      "--recalibrate-data <name>",
      `measure statistics on these examples (default: ${UNSCORED}, or with --temperature)`,
    )
    .option(
      "--recalibrate-examples <n>",
      `measure them on the first n examples only (default: ${STATISTICS_EXAMPLES})`,
      parseCount(1),
    );
  addEngineOption(command);
  addMatchOptions(addBindingOptions(command), "--match-data");
});

/**
 * Reads from the options what is done about statistics. Options that name examples for
 * them imply `recalibrate`, unless the examples have another use.
 * @throws UsageError if options exclude each other
 */
export function policyOf(options: PairOptions): StatisticsChoice {
  const { align, alignment, statistics, temperature, recalibrateData, recalibrateExamples } = options;
  assertAligns("measure", options);
  if (align && alignment !== undefined) {
    throw new UsageError("Cannot measure as --align and --alignment exclude each other: got both");
  }
  if (temperature) return statistics ?? "auto";
  const recalibrates = recalibrateData !== undefined || recalibrateExamples !== undefined;
  assertNotKept({ statistics, recalibrateData, recalibrateExamples });
  return statistics ?? (recalibrates ? "recalibrate" : "auto");
}
