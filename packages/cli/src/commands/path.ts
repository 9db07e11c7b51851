import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { defaultsOf } from "@isthmus/core";
import { createPath } from "@isthmus/interpolation";
import {
  DROPOUT_PATH_FIELDS,
  type DropoutPathResult,
  measureDropoutPath,
  RESCALINGS,
  type Rescaling,
  UNIT_CHOICES,
  type UnitChoice,
} from "@isthmus/paths";
import { discoverSymmetries } from "@isthmus/symmetry";
import { formatDropoutPath } from "../format/format-dropout-path.ts";
import { formatWalkedPath } from "../format/format-walked-path.ts";
import { type MeasuredPairOptions, measurePair, normPolicyOf } from "../open/measure-pair.ts";
import type { Pair } from "../open/open-pair.ts";
import { addPairOptions } from "../options/pair-options.ts";
import { MOST, parseCount } from "../options/parse-values.ts";
import { addWalkFlags, assertNoWalkFlags, type WalkFlags } from "../path/walk-flags.ts";
import { walkPair } from "../path/walk-pair.ts";
import { type Context, createVerb, formatExamples, type Outcome, type RunVerb } from "../verb.ts";

/** How paths are made. */
const WAYS = ["halves", "walk"] as const;

interface PathVerbOptions extends MeasuredPairOptions, WalkFlags {
  readonly by: (typeof WAYS)[number];
  readonly choose: UnitChoice;
  readonly rescale: Rescaling;
  readonly trials: number;
  readonly pointsPerLine: number;
}

const DEFAULTS = defaultsOf(DROPOUT_PATH_FIELDS);

/** Creates the command `isthmus path`. */
export function pathVerb(run: RunVerb): CommandUnknownOpts {
  return addPairOptions(addWalkFlags(createPathVerb()))
    .addHelpText("after", EXAMPLES)
    .action((a, b, options) => run(options, (context) => path([a, b], options, context)));
}

function createPathVerb() {
  return createVerb("path")
    .argument("<a>", "the checkpoint where the path begins")
    .argument("<b>", "the checkpoint where it ends")
    .addOption(
      new Option(
        "--by <way>",
        "through networks without half of their units, which are built, or by a walk layer by layer, with training",
      )
        .choices(WAYS)
        .default("halves"),
    )
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
  [
    "isthmus path a.pt b.pt --graph resnet.onnx --data fashion-mnist:test@2000 --by walk --align --bezier --journal walk.json --report walk.html",
    "layer by layer, beside the lines and a curve; start it again after an interruption and it goes on",
  ],
);

async function path(
  paths: readonly [string, string],
  options: PathVerbOptions,
  context: Context,
): Promise<Outcome> {
  if (options.by === "walk") {
    return measurePair({ paths, options }, context, {
      measure: (pair) => walkPair(pair, options, context),
      format: (result) => formatWalkedPath(result, context.terminal),
    });
  }
  assertNoWalkFlags(options);
  return measurePair({ paths, options }, context, {
    measure: (pair) => measure(pair, options, context),
    format: (result) => formatDropoutPath(result, context.terminal),
  });
}

async function measure(
  { a, b, unaligned, data, graph, engine, statistics, statisticsData }: Pair,
  { choose, rescale, trials, pointsPerLine, seed }: PathVerbOptions,
  context: Context,
): Promise<DropoutPathResult> {
  const symmetries = await discoverSymmetries({ graph, engine }, { signal: context.signal });
  const aligned = { name: "line to B aligned", path: createPath("linear", a, b) };
  return measureDropoutPath({ graph, engine, symmetries }, [a, unaligned], data, {
    ...{ choice: choose, rescale, trials, pointsPerLine, seed, statisticsData },
    statistics: normPolicyOf("measure a path", statistics, DEFAULTS.statistics),
    beside: b === unaligned ? [] : [aligned],
    signal: context.signal,
    onProgress: ({ stage, done }) => context.progress(STAGES[stage], done),
  });
}

const STAGES = { build: "Taking units out", measure: "Measuring paths" } as const;
