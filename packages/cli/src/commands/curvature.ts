import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { at } from "@isthmus/core";
import {
  CURVATURE_KINDS,
  type CurvatureKind,
  type CurvatureProgress,
  MEASURE_CURVATURE_DEFAULTS,
  measureCurvature,
} from "@isthmus/curvature";
import { DATA_SET_FORMS } from "@isthmus/data";
import { assertArchitecture, dataContext, fitToData } from "@isthmus/zoo";
import { formatCurvature } from "../format/format-curvature.ts";
import { formatOutputs } from "../format/format-outputs.ts";
import { addBindingOptions, type BindingOptions, bindArchitecture } from "../open/bind-architecture.ts";
import { openSharedArchitecture } from "../open/open-architecture.ts";
import { withCheckpoints } from "../open/open-checkpoints.ts";
import { addScalingOptions, openExamples, type ScalingOptions } from "../open/open-data.ts";
import { addEngineOption, type EngineOptions } from "../options/engine-option.ts";
import { parseCount, parseNames, parseSeed } from "../options/parse-values.ts";
import { assertOutput, assertPageName } from "../output/assert-output.ts";
import { saveResult } from "../result/save-result.ts";
import { type Context, createVerb, formatExamples, type Outcome, type RunVerb } from "../verb.ts";

interface CurvatureVerbOptions extends EngineOptions, BindingOptions, ScalingOptions {
  readonly graph?: string | undefined;
  readonly data: string;
  readonly operator: CurvatureKind;
  readonly parameters?: readonly string[] | undefined;
  readonly examples: number;
  readonly count: number;
  readonly traceProducts: number;
  readonly runs: number;
  readonly seed: number;
  readonly output?: string | undefined;
  readonly report?: string | undefined;
}

const DEFAULTS = MEASURE_CURVATURE_DEFAULTS;

/** Creates the command `isthmus curvature`. */
export function curvatureVerb(run: RunVerb): CommandUnknownOpts {
  return addBindingOptions(addScalingOptions(addEngineOption(createCurvatureVerb())))
    .addHelpText("after", EXAMPLES)
    .action((path, options) => run(options, (context) => curvature(path, options, context)));
}

function createCurvatureVerb() {
  return createVerb("curvature")
    .argument("<network>", "the checkpoint: a file, or a folder")
    .option(
      "--graph <file>",
      "its architecture, .onnx or model.json of a LayersModel (default: from its config.json)",
    )
    .requiredOption("--data <name>", `labelled examples; ${DATA_SET_FORMS.join(", ")}`)
    .addOption(
      new Option("--operator <kind>", "the matrix that is measured")
        .choices(CURVATURE_KINDS)
        .default(DEFAULTS.operator),
    )
    .option(
      "--parameters <names>",
      "names of the parameters it is measured in, for example head.*,norm.weight (default: all)",
      parseNames,
    )
    .option(
      "--examples <n>",
      "number of examples, the first ones; 0 for all",
      parseCount(0),
      DEFAULTS.examples,
    )
    .option("--count <n>", "number of eigenvalues at either end; 0 for none", parseCount(0), DEFAULTS.count)
    .option(
      "--trace-products <n>",
      "the most products for the trace; 0 for none",
      parseCount(0),
      DEFAULTS.traceProducts,
    )
    .option(
      "--runs <n>",
      "random vectors for the density of all eigenvalues; 0 for none",
      parseCount(0),
      DEFAULTS.runs,
    )
    .option("--seed <n>", "seed of random vectors", parseSeed, DEFAULTS.seed)
    .option("-o, --output <file>", "write the result, with the density (.json)")
    .option("--report <file>", "write a page with figures and all numbers (.html)");
}

const EXAMPLES = formatExamples(
  [
    "isthmus curvature a.safetensors --graph model.onnx --data mnist:train -o curvature.json --report curvature.html",
    "how sharply the loss curves around a network, also as a page",
  ],
  [
    "isthmus curvature a.pt --graph model.onnx --data mnist:train --operator gauss-newton --parameters 'head.*' --runs 0",
    "the Gauss-Newton matrix of one layer, without the density",
  ],
);

async function curvature(path: string, options: CurvatureVerbOptions, context: Context): Promise<Outcome> {
  if (options.report !== undefined) assertPageName(options.report);
  return withCheckpoints([path], async (checkpoints) => {
    const { output, report, parameters, operator, examples, count, traceProducts, runs, seed } = options;
    const named = [options.graph, options.exportedFrom].filter((file) => file !== undefined);
    const inputs = [...checkpoints.flatMap(({ files }) => files), ...named];
    const outputs = [output, report].filter((file) => file !== undefined);
    for (const file of outputs) await assertOutput(file, inputs);
    await assertArchitecture("measure curvature", [path], options);
    const read = await openSharedArchitecture([path], options);
    const data = await openExamples(options.data, options, dataContext(read));
    const bound = await bindArchitecture(fitToData(read, data), checkpoints, options, context);
    const { graph, engine, networks, binding } = bound;
    const result = await measureCurvature({ graph, engine }, at(networks, 0, "network").network, data, {
      ...{ operator, parameters, examples, count, traceProducts, runs, seed },
      signal: context.signal,
      onProgress: ({ stage, done }) => context.progress(STAGES[stage], done),
    });
    await saveResult(result, { output, report }, { inputs, context });
    return {
      result: { ...result, binding },
      text: formatCurvature(result) + formatOutputs(outputs),
    };
  });
}

const STAGES: Readonly<Record<CurvatureProgress["stage"], string>> = {
  eigenvalues: "Computing eigenvalues",
  trace: "Estimating the trace",
  density: "Estimating the density",
};
