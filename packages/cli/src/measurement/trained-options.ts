import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { type AnyMeasurement, type AnyTrainingDescription, trainingOf } from "@isthmus/findings";
import { NETWORK_FORMS } from "@isthmus/zoo";
import { addScalingOptions } from "../open/open-data.ts";
import { addBindingOptions } from "../options/binding-options.ts";
import { dataForms } from "../options/data-forms.ts";
import { addEngineOption } from "../options/engine-option.ts";
import { HELP_GROUPS } from "../options/help-groups.ts";
import { parseCount, parseNumber } from "../options/parse-values.ts";

/** Adds the options that describe a network that a measurement trains, and name the examples for it. */
export function addTrainedOptions(command: CommandUnknownOpts, measurement: AnyMeasurement): void {
  addSeveralOptions(command, measurement);
  addNetworkOptions(command, measurement);
  addExamplesOptions(command, trainingOf(measurement));
  addScalingOptions(addEngineOption(command));
  if (isOfAnyGraph(measurement)) addBindingOptions(command);
}

/** Checks whether a measurement trains networks of any graph; if not, they are built for images. */
const isOfAnyGraph = ({ trains }: AnyMeasurement): boolean => trains?.trained !== "images";

function addNetworkOptions(command: CommandUnknownOpts, measurement: AnyMeasurement): void {
  const [flag, forms] = ["--net <name>", NETWORK_FORMS.join(", ")];
  command.optionsGroup(HELP_GROUPS.networks);
  if (!isOfAnyGraph(measurement)) {
    command.requiredOption(flag, `the network, which is built for the images: ${forms}`);
    return;
  }
  command
    .option(flag, `a network to build: ${forms}`)
    .option("--graph <file>", "the architecture to train, an .onnx file")
    .option("--from <file>", "a checkpoint that all seeds start from (default: random weights of each seed)");
}

function addExamplesOptions(
  command: CommandUnknownOpts,
  { trained, measured }: AnyTrainingDescription,
): void {
  const forms = dataForms(":train (if not said), :test or :val");
  command.requiredOption("--data <name>", trained.help ?? forms);
  const flag = `--${measured.flag} <name>`;
  if (measured.default === undefined) command.requiredOption(flag, measured.help);
  else command.option(flag, measured.help);
}

/** Adds the options of a measurement that also trains by another schedule, or with several seeds. */
function addSeveralOptions(command: CommandUnknownOpts, { options, trains }: AnyMeasurement): void {
  const { seeds, otherSchedule } = trains ?? {};
  if (otherSchedule !== undefined) {
    const { flag, help, defaultRate } = otherSchedule;
    command.option(`--${flag} <x>`, help, parseNumber, defaultRate);
  }
  if (seeds === undefined) return;
  const usual = options[seeds.option]?.default;
  command.option(`--${seeds.flag} <n>`, seeds.help, parseCount(1), Array.isArray(usual) ? usual.length : 1);
}
