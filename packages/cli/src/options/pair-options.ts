import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import type { StatisticsChoice, StatisticsPolicy } from "@isthmus/statistics";
import type { DataOptions } from "../open/open-data.ts";
import { addBindingOptions, type BindingOptions } from "./binding-options.ts";
import { addDataOption, dataForms } from "./data-forms.ts";
import { addEngineOption, type EngineOptions } from "./engine-option.ts";
import { HELP_GROUPS } from "./help-groups.ts";
import { addMatchOptions, type MatchVerbOptions } from "./match-options.ts";
import { declareNeeds } from "./option-needs.ts";

/** Options of a verb that measures between two networks. */
export type PairOptions = DataOptions &
  MatchVerbOptions &
  BindingOptions &
  EngineOptions & {
    /** File of the architecture that both networks share. @defaultValue their config.json */
    readonly graph?: string | undefined;
    /** True to align B to A before measuring. @defaultValue not aligned */
    readonly align?: true | undefined;
    /** File of an alignment by which B is permuted; excludes `align`. @defaultValue not permuted */
    readonly alignment?: string | undefined;
    /** Name of the examples to match by. @defaultValue the examples for statistics */
    readonly matchData?: string | undefined;
    /**
     * Policy for the statistics of norms between both networks.
     * @defaultValue "recalibrate" if examples for statistics are named, else "auto"
     */
    readonly statistics?: StatisticsPolicy | StatisticsChoice | undefined;
    /**
     * Whether a temperature is fitted, too, on the examples that statistics are measured on; not all verbs
     * can.
     */
    readonly temperature?: true | undefined;
  };

/** Adds the options for the two networks to measure, their data, and the alignment of the second. */
export function addPairSubjectOptions(command: CommandUnknownOpts): void {
  command.option(
    "--graph <file>",
    "their architecture, an .onnx file or the model.json of a LayersModel (default: from their config.json)",
  );
  addDataOption(command, dataForms(":test (of a text its last tenth, if not said), :train or :val"));
  command
    .optionsGroup(HELP_GROUPS.alignment)
    .option("--align", "align B to A first")
    .option("--alignment <file>", "permute B by an alignment that isthmus align wrote")
    .option("--match-data <name>", "examples for --method (default: the examples for --statistics)");
  addEngineOption(command);
  addMatchOptions(addBindingOptions(command), "--match-data");
  declareNeeds(command, { "match-data": ["align"] });
}
