import {
  type Command,
  type CommandUnknownOpts,
  Option,
  type OptionValues,
} from "@commander-js/extra-typings";
import { UsageError } from "@isthmus/core";
import { DATA_SET_FORMS } from "@isthmus/data";
import {
  STATISTICS_EXAMPLES,
  STATISTICS_POLICIES,
  type StatisticsChoice,
  type StatisticsPolicy,
} from "@isthmus/statistics";
import { addBindingOptions, type BindingOptions } from "../open/bind-architecture.ts";
import type { DataOptions } from "../open/open-data.ts";
import { type EngineOptions, engineOption } from "./engine-option.ts";
import { addMatchOptions, assertAligns, type MatchVerbOptions } from "./match-options.ts";
import { assertNotKept } from "./norm-options.ts";
import { parseCount } from "./parse-values.ts";

/** What a verb that measures between two networks is told; an alias, as commander wants it. */
export type PairOptions = DataOptions &
  MatchVerbOptions &
  BindingOptions &
  EngineOptions & {
    readonly graph?: string | undefined;
    readonly align?: true | undefined;
    readonly alignment?: string | undefined;
    readonly matchData?: string | undefined;
    readonly statistics?: StatisticsPolicy | undefined;
  };

/** Adds the options of every verb that measures between two networks: their architecture, data, alignment and statistics. */
export function addPairOptions<A extends unknown[], O extends OptionValues>(
  command: Command<A, O>,
): Command<A, O & PairOptions> {
  (command as CommandUnknownOpts)
    .option(
      "--graph <file>",
      "their architecture, an .onnx file or the model.json of a LayersModel (default: of their config.json)",
    )
    .requiredOption(
      "--data <name>",
      `${DATA_SET_FORMS.join(", ")}; then :test or :train, then @N for the first N`,
    )
    .option("--align", "align B to A first")
    .option("--alignment <file>", "permute B by an alignment that isthmus align wrote")
    .option("--match-data <name>", "examples for --method (default: those for --statistics)")
    .addOption(
      new Option(
        "--statistics <policy>",
        "what is done about statistics of activations between the ends: recalibrate batch norms, or repair all layers (default: recalibrate if there are batch norms)",
      ).choices(STATISTICS_POLICIES),
    )
    .option("--recalibrate-data <name>", "measure statistics on these examples (default: those of --data)")
    .option(
      "--recalibrate-examples <n>",
      `only on the first n of them (default: ${STATISTICS_EXAMPLES})`,
      parseCount(1),
    )
    .addOption(engineOption());
  const bound = addBindingOptions(command);
  return addMatchOptions(bound, "--match-data") as unknown as Command<A, O & PairOptions>;
}

/**
 * Reads from the options what is done about statistics; to name examples for them is to ask for `recalibrate`.
 * @throws UsageError if options exclude each other
 */
export function policyOf(options: PairOptions): StatisticsChoice {
  const { align, alignment, statistics, recalibrateData, recalibrateExamples } = options;
  assertAligns("measure", options);
  if (align && alignment !== undefined) {
    throw new UsageError("Cannot measure as --align and --alignment exclude each other: got both");
  }
  const recalibrates = recalibrateData !== undefined || recalibrateExamples !== undefined;
  assertNotKept({ statistics, recalibrateData, recalibrateExamples });
  return statistics ?? (recalibrates ? "recalibrate" : "auto");
}
