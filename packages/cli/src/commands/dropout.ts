import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { at } from "@isthmus/core";
import {
  MEASURE_DROPOUT_STABILITY_DEFAULTS,
  measureDropoutStability,
  RESCALINGS,
  type Rescaling,
  UNIT_CHOICES,
  type UnitChoice,
} from "@isthmus/paths";
import { discoverSymmetries } from "@isthmus/symmetry";
import { assertArchitecture, dataContext, fitToData } from "@isthmus/zoo";
import { describeFeeds, encodingOf } from "../format/describe-feeds.ts";
import { formatDropoutStability } from "../format/format-dropout-stability.ts";
import { formatOutputs } from "../format/format-outputs.ts";
import { addBindingOptions, type BindingOptions, bindArchitecture } from "../open/bind-architecture.ts";
import { openSharedArchitecture } from "../open/open-architecture.ts";
import { withCheckpoints } from "../open/open-checkpoints.ts";
import { addScalingOptions, openExamples, type ScalingOptions } from "../open/open-data.ts";
import { dataForms } from "../options/data-forms.ts";
import { addEngineOption, type EngineOptions } from "../options/engine-option.ts";
import { MOST, parseCount, parseNames, parseNumbers, parseSeed } from "../options/parse-values.ts";
import { assertOutput, assertPageName } from "../output/assert-output.ts";
import { saveResult } from "../result/save-result.ts";
import { type Context, createVerb, formatExamples, type Outcome, type RunVerb } from "../verb.ts";

interface DropoutVerbOptions extends EngineOptions, BindingOptions, ScalingOptions {
  readonly graph?: string | undefined;
  readonly data: string;
  readonly shares: readonly number[];
  readonly trials: number;
  readonly choose: UnitChoice;
  readonly rescale: Rescaling;
  readonly layers?: readonly string[] | undefined;
  readonly seed: number;
  readonly journal?: string | undefined;
  readonly output?: string | undefined;
  readonly report?: string | undefined;
}

const CHOOSE_TEXT =
  "which units stay: some at random, or the largest, by the norm of the weights into a unit times the norm of the weights out of it";
const DEFAULTS = MEASURE_DROPOUT_STABILITY_DEFAULTS;

/** Creates the command `isthmus dropout`. */
export function dropoutVerb(run: RunVerb): CommandUnknownOpts {
  return addBindingOptions(addScalingOptions(addEngineOption(createDropoutVerb())))
    .addHelpText("after", EXAMPLES)
    .action((path, options) => run(options, (context) => dropout(path, options, context)));
}

function createDropoutVerb() {
  return createVerb("dropout")
    .argument("<network>", "the checkpoint: a file, or a folder")
    .option(
      "--graph <file>",
      "its architecture, .onnx or model.json of a LayersModel (default: from its config.json)",
    )
    .requiredOption("--data <name>", `labelled examples; ${dataForms()}`)
    .addOption(
      new Option("--shares <list>", "shares of the units of each layer that stay, such as 0.25,0.5,0.75")
        .argParser(parseNumbers)
        .default(DEFAULTS.shares, DEFAULTS.shares.join(",")),
    )
    .option("--trials <n>", "choices of units at random", parseCount(1, MOST.places), DEFAULTS.trials)
    .addOption(new Option("--choose <which>", CHOOSE_TEXT).choices(UNIT_CHOICES).default(DEFAULTS.choice))
    .addOption(
      new Option(
        "--rescale <how>",
        "rescale them by the inverse of their share, or layer by layer so that the loss is least",
      )
        .choices(RESCALINGS)
        .default(DEFAULTS.rescale),
    )
    .option("--layers <names>", "layers that lose units, for example conv*,fc1 (default: all)", parseNames)
    .option("--seed <n>", "seed of the choices", parseSeed, DEFAULTS.seed)
    .option("--journal <file>", "keep finished trials in this file, and go on from it after an interruption")
    .option("-o, --output <file>", "write the result (.json)")
    .option("--report <file>", "write a page with figures and all numbers (.html)");
}

const EXAMPLES = formatExamples(
  [
    "isthmus dropout a.safetensors --graph model.onnx --data mnist:test --shares 0.25,0.5,0.75 --report dropout.html",
    "how much the loss rises with a quarter, half and three quarters of the units, also as a page",
  ],
  [
    "isthmus dropout a.pt --graph wide.onnx --data mnist:train --shares 0.25,0.5,0.75 --rescale fit --trials 10 --journal trials.json",
    "factors with the least loss, for ten choices; start it again after an interruption and it goes on",
  ],
  [
    "isthmus dropout a.pt --graph cnn.onnx --data fashion-mnist:test@2000 --choose largest --layers 'features.*'",
    "the largest channels of some layers",
  ],
);

async function dropout(path: string, options: DropoutVerbOptions, context: Context): Promise<Outcome> {
  const { journal, output, report, shares, trials, choose: choice, rescale, layers, seed } = options;
  if (report !== undefined) assertPageName(report);
  return withCheckpoints([path], async (checkpoints) => {
    const named = [options.graph, options.exportedFrom].filter((file) => file !== undefined);
    const inputs = [...checkpoints.flatMap(({ files }) => files), ...named];
    const outputs = [output, report].filter((file) => file !== undefined);
    for (const file of [journal, ...outputs]) if (file !== undefined) await assertOutput(file, inputs);
    await assertArchitecture("measure dropout stability", [path], options);
    const read = await openSharedArchitecture([path], options);
    const data = await openExamples(options.data, options, dataContext(read));
    const bound = await bindArchitecture(fitToData(read, data), checkpoints, options, context);
    const { graph, engine, networks, binding } = bound;
    for (const line of describeFeeds("measure dropout stability", bound.graph, data, {
      ...options,
      ...encodingOf(read),
    }))
      context.terminal.note(line);
    const symmetries = await discoverSymmetries({ graph, engine }, { signal: context.signal });
    const { network } = at(networks, 0, "network");
    const result = await measureDropoutStability({ graph, engine, symmetries }, network, data, {
      ...{ shares, trials, choice, rescale, layers, seed, journalPath: journal, signal: context.signal },
      onProgress: ({ done }) => context.progress("Taking units out", done),
    });
    await saveResult(result, { output, report }, { inputs, context });
    return {
      result: { ...result, binding },
      text: formatDropoutStability(result) + formatOutputs(outputs),
    };
  });
}
