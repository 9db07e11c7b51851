import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { at } from "@isthmus/core";
import {
  CURVATURE_KINDS,
  type CurvatureKind,
  type CurvatureProgress,
  type CurvatureResult,
  MEASURE_CURVATURE_DEFAULTS,
  type MeasureCurvatureOptions,
  measureCurvature,
} from "@isthmus/curvature";
import { assertArchitecture, dataContext, fitToData } from "@isthmus/zoo";
import { formatCurvature } from "../format/format-curvature.ts";
import { formatOutputs } from "../format/format-outputs.ts";
import { addBindingOptions, type BindingOptions, bindArchitecture } from "../open/bind-architecture.ts";
import { openSharedArchitecture } from "../open/open-architecture.ts";
import { withCheckpoints } from "../open/open-checkpoints.ts";
import { addScalingOptions, openExamples, type ScalingOptions } from "../open/open-data.ts";
import {
  addCurvatureMeasures,
  type CurvatureMeasureOptions,
  curvatureMeasures,
} from "../options/curvature-measures.ts";
import { dataForms } from "../options/data-forms.ts";
import { addEngineOption, type EngineOptions } from "../options/engine-option.ts";
import { parseCount, parseNames, parseSeed } from "../options/parse-values.ts";
import { assertOutput, assertPageName } from "../output/assert-output.ts";
import { saveResult } from "../result/save-result.ts";
import { createPace } from "../terminal/pace.ts";
import { type Context, createVerb, formatExamples, type Outcome, type RunVerb } from "../verb.ts";

interface CurvatureVerbOptions
  extends EngineOptions,
    BindingOptions,
    ScalingOptions,
    CurvatureMeasureOptions {
  readonly graph?: string | undefined;
  readonly data: string;
  readonly operator: CurvatureKind;
  readonly labelSamples: number;
  readonly parameters?: readonly string[] | undefined;
  readonly examples: number;
  readonly count: number;
  readonly traceProducts: number;
  readonly runs: number;
  readonly seed: number;
  readonly journal?: string | undefined;
  readonly output?: string | undefined;
  readonly report?: string | undefined;
}

const DEFAULTS = MEASURE_CURVATURE_DEFAULTS;

/** Creates the command `isthmus curvature`. */
export function curvatureVerb(run: RunVerb): CommandUnknownOpts {
  const measures = addCurvatureMeasures(createCurvatureVerb());
  return addBindingOptions(addScalingOptions(addEngineOption(measures)))
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
    .requiredOption("--data <name>", `labelled examples; ${dataForms()}`)
    .addOption(
      new Option("--operator <kind>", "the matrix that is measured")
        .choices(CURVATURE_KINDS)
        .default(DEFAULTS.operator),
    )
    .option(
      "--label-samples <n>",
      "labels drawn for each example of a sampled Gauss-Newton matrix",
      parseCount(1),
      DEFAULTS.labelSamples,
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
    .option(
      "--journal <file>",
      "keep finished parts in this file (eigenvalues, trace, density, each layer ...), and go on from it after an interruption",
    )
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
  [
    "isthmus curvature a.pt --graph model.onnx --data mnist:train --by layer --sharpness --critical-sharpness --canonical --runs 0 --report curvature.html",
    "every layer, and how far the loss rises nearby; all of it with scales of layers undone, too",
  ],
  [
    "isthmus curvature a.pt --graph model.onnx --data mnist:train --learning-coefficient --step 1e-4 --count 0 --trace-products 0 --runs 0",
    "the local learning coefficient alone",
  ],
  [
    "isthmus curvature a.pt --graph model.onnx --data mnist:train --settling --count 0 --trace-products 0 --runs 0 --report settling.html",
    "how the loss and its Hessian settle as the number of examples grows",
  ],
);

async function curvature(path: string, options: CurvatureVerbOptions, context: Context): Promise<Outcome> {
  if (options.report !== undefined) assertPageName(options.report);
  const measures = curvatureMeasures(options);
  return withCheckpoints([path], async (checkpoints) => {
    const { output, report, journal, parameters, operator, labelSamples, examples } = options;
    const { count, traceProducts, runs, seed } = options;
    const named = [options.graph, options.exportedFrom].filter((file) => file !== undefined);
    const inputs = [...checkpoints.flatMap(({ files }) => files), ...named];
    const outputs = [output, report].filter((file) => file !== undefined);
    for (const file of [journal, ...outputs]) if (file !== undefined) await assertOutput(file, inputs);
    await assertArchitecture("measure curvature", [path], options);
    const read = await openSharedArchitecture([path], options);
    const data = await openExamples(options.data, options, dataContext(read));
    const bound = await bindArchitecture(fitToData(read, data), checkpoints, options, context);
    const { graph, engine, networks, binding } = bound;
    const settings = { operator, labelSamples, parameters, examples, count, traceProducts, runs, seed };
    const result = await follow({ journal }, context, (following) =>
      measureCurvature({ graph, engine }, at(networks, 0, "network").network, data, {
        ...{ ...settings, ...measures, ...following },
      }),
    );
    await saveResult(result, { output, report }, { inputs, context });
    return {
      result: { ...result, binding },
      text: formatCurvature(result, context.terminal) + formatOutputs(outputs),
    };
  });
}

/**
 * Runs a measurement and shows its progress; if it is stopped, shows the parts that are finished and says how
 * to go on.
 */
async function follow<T>(
  { journal }: Pick<CurvatureVerbOptions, "journal">,
  { signal, progress, terminal }: Context,
  work: (
    options: Pick<MeasureCurvatureOptions, "journalPath" | "signal" | "onProgress" | "onPart">,
  ) => Promise<T>,
): Promise<T> {
  const pace = createPace();
  let partial: CurvatureResult | undefined;
  try {
    return await work({
      ...{ journalPath: journal, signal },
      onProgress: ({ stage, done, stored }) => {
        pace.note(done, stored);
        progress(STAGES[stage], done, pace.left);
      },
      onPart: (soFar) => {
        partial = soFar;
      },
    });
  } catch (error) {
    if (signal.aborted && partial !== undefined) terminal.note(formatCurvature(partial, terminal));
    if (signal.aborted && journal !== undefined)
      terminal.note(`isthmus curvature: finished parts are in "${journal}": it goes on from there`);
    throw error;
  }
}

const STAGES: Readonly<Record<CurvatureProgress["stage"], string>> = {
  eigenvalues: "Computing eigenvalues",
  trace: "Estimating the trace",
  density: "Estimating the density",
  layers: "Measuring layers",
  sharpness: "Climbing",
  "critical-sharpness": "Searching the critical learning rate",
  "learning-coefficient": "Sampling losses nearby",
  settling: "Measuring on fewer examples",
};
