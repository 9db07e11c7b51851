import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { UsageError } from "@isthmus/core";
import { createPath } from "@isthmus/interpolation";
import {
  type DropoutPathResult,
  MEASURE_DROPOUT_PATH_DEFAULTS,
  measureDropoutPath,
  RESCALINGS,
  type Rescaling,
  UNIT_CHOICES,
  type UnitChoice,
} from "@isthmus/paths";
import { discoverSymmetries } from "@isthmus/symmetry";
import { formatDropoutPath } from "../format/format-dropout-path.ts";
import { formatOutputs } from "../format/format-outputs.ts";
import { type Pair, withPair } from "../open/open-pair.ts";
import { addPairOptions, type PairOptions } from "../options/pair-options.ts";
import { MOST, parseCount } from "../options/parse-values.ts";
import { assertPageName } from "../output/assert-output.ts";
import { saveResult } from "../result/save-result.ts";
import { type Context, createVerb, formatExamples, type Outcome, type RunVerb } from "../verb.ts";

interface PathVerbOptions extends PairOptions {
  readonly choose: UnitChoice;
  readonly rescale: Rescaling;
  readonly trials: number;
  readonly pointsPerLine: number;
  readonly output?: string | undefined;
  readonly report?: string | undefined;
}

const DEFAULTS = MEASURE_DROPOUT_PATH_DEFAULTS;

/** Creates the command `isthmus path`. */
export function pathVerb(run: RunVerb): CommandUnknownOpts {
  return addPairOptions(createPathVerb())
    .addHelpText("after", EXAMPLES)
    .action((a, b, options) => run(options, (context) => path([a, b], options, context)));
}

function createPathVerb() {
  return createVerb("path")
    .argument("<a>", "the checkpoint where the path begins")
    .argument("<b>", "the checkpoint where it ends")
    .addOption(
      new Option("--choose <which>", "which half of the units of each layer stays")
        .choices(UNIT_CHOICES)
        .default(DEFAULTS.choice),
    )
    .addOption(
      new Option("--rescale <how>", "rescale them by 2, or layer by layer so that the loss is least")
        .choices(RESCALINGS)
        .default(DEFAULTS.rescale),
    )
    .option(
      "--trials <n>",
      "choices of units at random, of which the best is taken",
      parseCount(1, MOST.places),
      DEFAULTS.trials,
    )
    .option(
      "--points-per-line <n>",
      "places on each straight line of the path",
      parseCount(1, MOST.places),
      DEFAULTS.pointsPerLine,
    )
    .option("-o, --output <file>", "write the result (.json)")
    .option("--report <file>", "write a page with figures and all numbers (.html)");
}

const EXAMPLES = formatExamples(
  [
    "isthmus path a.safetensors b.safetensors --graph model.onnx --data mnist:test@2000 --align --report path.html",
    "a path through networks without half of their units, beside the lines to B and to B aligned",
  ],
  [
    "isthmus path a.pt b.pt --graph model.onnx --data mnist:train@5000 --rescale fit --trials 10 -o path.json",
    "units that stay are rescaled layer by layer, and chosen ten times",
  ],
);

async function path(
  paths: readonly [string, string],
  options: PathVerbOptions,
  context: Context,
): Promise<Outcome> {
  const { output, report } = options;
  if (report !== undefined) assertPageName(report);
  const outputs = [output, report].filter((file) => file !== undefined);
  return withPair({ paths, options, outputs }, context, async (pair) => {
    const result = await measure(pair, options, context);
    await saveResult(result, { output, report }, { inputs: pair.inputs, context });
    return {
      result: { ...result, ...(pair.summary && { alignment: pair.summary }), binding: pair.binding },
      text: formatDropoutPath(result, context.terminal) + formatOutputs(outputs),
    };
  });
}

async function measure(
  { a, b, unaligned, data, graph, engine, statistics, statisticsData }: Pair,
  { choose, rescale, trials, pointsPerLine, seed }: PathVerbOptions,
  context: Context,
): Promise<DropoutPathResult> {
  if (statistics === "repair" || statistics === "repair-closed-form") {
    throw new UsageError(
      `Cannot measure a path as --statistics must be keep or recalibrate, as its networks are no averages of two: it is ${statistics}`,
    );
  }
  const symmetries = await discoverSymmetries({ graph, engine }, { signal: context.signal });
  const aligned = { name: "line to B aligned", path: createPath("linear", a, b) };
  return measureDropoutPath({ graph, engine, symmetries }, [a, unaligned], data, {
    ...{ choice: choose, rescale, trials, pointsPerLine, seed, statisticsData },
    statistics: statistics === "auto" ? DEFAULTS.statistics : statistics,
    beside: b === unaligned ? [] : [aligned],
    signal: context.signal,
    onProgress: ({ stage, done }) => context.progress(STAGES[stage], done),
  });
}

const STAGES = { build: "Taking units out", measure: "Measuring paths" } as const;
