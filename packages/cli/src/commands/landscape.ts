import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import type { PlaneSubject } from "@isthmus/barrier";
import { at } from "@isthmus/core";
import {
  type LandscapeKind,
  MEASURE_LANDSCAPE_DEFAULTS,
  measureLandscape,
  NORMALIZATIONS,
  type Normalization,
  VECTOR_POLICIES,
  type VectorPolicy,
} from "@isthmus/landscape";
import { assertArchitecture, dataContext, fitToData } from "@isthmus/zoo";
import { describeFeeds, encodingOf } from "../format/describe-feeds.ts";
import { formatLandscape } from "../format/format-landscape.ts";
import { formatOutputs } from "../format/format-outputs.ts";
import { labelsOf } from "../format/labels-of.ts";
import { addBindingOptions, type BindingOptions, bindArchitecture } from "../open/bind-architecture.ts";
import { chooseDirections } from "../open/choose-directions.ts";
import { openSharedArchitecture } from "../open/open-architecture.ts";
import { withCheckpoints } from "../open/open-checkpoints.ts";
import { addScalingOptions, type DataOptions, openData, openUnscoredFor } from "../open/open-data.ts";
import { dataForms } from "../options/data-forms.ts";
import { addEngineOption, type EngineOptions } from "../options/engine-option.ts";
import { addNormOptions, assertNotKept, type NormOptions, UNSCORED } from "../options/norm-options.ts";
import { MOST, parseCount, parseRange, parseSeed } from "../options/parse-values.ts";
import { assertOutput, assertPageName } from "../output/assert-output.ts";
import { saveResult } from "../result/save-result.ts";
import { type Context, createVerb, formatExamples, type Outcome, type RunVerb } from "../verb.ts";

interface LandscapeVerbOptions extends DataOptions, NormOptions, BindingOptions, EngineOptions {
  readonly graph?: string | undefined;
  readonly directions?: readonly string[] | undefined;
  readonly snapshots?: readonly string[] | undefined;
  readonly from?: string | undefined;
  readonly dimensions?: number | undefined;
  readonly points?: number | undefined;
  readonly range?: readonly [number, number] | undefined;
  readonly normalize?: Normalization | undefined;
  readonly vectors?: VectorPolicy | undefined;
  readonly seed: number;
  readonly hessianExamples: number;
  readonly steps: number;
  readonly local: boolean;
  readonly journal?: string | undefined;
  readonly output?: string | undefined;
  readonly report?: string | undefined;
}

const DEFAULTS = MEASURE_LANDSCAPE_DEFAULTS;

/** Creates the command `isthmus landscape`. */
export function landscapeVerb(run: RunVerb): CommandUnknownOpts {
  return withMeasurement(createLandscapeVerb())
    .addHelpText("after", EXAMPLES)
    .action((path, options) => run(options, (context) => landscape(path, options, context)));
}

function createLandscapeVerb() {
  return createVerb("landscape")
    .argument("<network>", "the checkpoint: a file, or a folder")
    .option(
      "--graph <file>",
      "its architecture, .onnx or model.json of a LayersModel (default: from its config.json)",
    )
    .option(
      "--directions <kind...>",
      "random, eigenvectors of the Hessian, trajectory, or checkpoints to go to (default: random)",
    )
    .option("--snapshots <files...>", "a trajectory before the network, in its order; a folder for all in it")
    .option(
      "--from <init>",
      "the line from this initialization to the network, and whether the loss only falls",
    )
    .option(
      "--dimensions <n>",
      "number of directions (default: 2; as many as --directions names; 1 with --from)",
      parseCount(1),
    )
    .option(
      "--points <n>",
      "places along every direction (default: 51 for a line, 25 for a plane, 9 for three directions, 5 for more)",
      parseCount(2, MOST.places),
    )
    .option(
      "--range <from:to>",
      "ends of every axis in units of the direction (default: -1:1; -0.5:1.5 to checkpoints; around a trajectory)",
      parseRange,
    )
    .addOption(
      new Option(
        "--normalize <size>",
        "what directions are scaled to the size of (default: filter for random ones, else none)",
      ).choices(NORMALIZATIONS),
    )
    .addOption(
      new Option(
        "--vectors <policy>",
        "whether directions move biases, norms and other tensors of one axis (default: ignore for random ones, else move)",
      ).choices(VECTOR_POLICIES),
    );
}

function withMeasurement(command: ReturnType<typeof createLandscapeVerb>) {
  const measured = command
    .option("--seed <n>", "seed of random directions, and of eigenvectors", parseSeed, DEFAULTS.seed)
    .option(
      "--hessian-examples <n>",
      "examples that eigenvectors are of, the first ones; 0 for all",
      parseCount(0),
      DEFAULTS.hessianExamples,
    )
    .option("--steps <n>", "the most products for eigenvectors", parseCount(1), DEFAULTS.steps)
    .option("--no-local", "do not measure slope and curvature at the network")
    .requiredOption("--data <name>", dataForms());
  return addEngineOption(addBindingOptions(addScalingOptions(addNormOptions(measured, UNSCORED))))
    .option("--journal <file>", "keep finished rows in this file, and go on from it after an interruption")
    .option("-o, --output <file>", "write the result (.json)")
    .option("--report <file>", "write a page with figures and all numbers (.html)");
}

const EXAMPLES = formatExamples(
  [
    "isthmus landscape a.safetensors --graph model.onnx --data mnist:test@1000 --report landscape.html",
    "a plane along two random directions of the filters' sizes",
  ],
  [
    "isthmus landscape a.pt --graph model.onnx --data mnist:test --directions eigenvectors --dimensions 1 --range -2:2",
    "a line along the direction in which the loss curves most",
  ],
  [
    "isthmus landscape a.pt --graph model.onnx --data mnist:test@1000 --directions trajectory --snapshots run/ --journal rows.json",
    "the plane in which a training run mostly went, with its way",
  ],
  [
    "isthmus landscape a.pt --graph model.onnx --data mnist:test --from init.pt",
    "whether the loss falls all the way from the initialization",
  ],
);

async function landscape(path: string, options: LandscapeVerbOptions, context: Context): Promise<Outcome> {
  assertNotKept(options);
  const { journal, output, report } = options;
  if (report !== undefined) assertPageName(report);
  const { directions, others } = await chooseDirections(options);
  const paths: readonly [string, ...string[]] = [path, ...others];
  await assertArchitecture("measure a landscape", paths, options);
  const read = await openSharedArchitecture(paths, options);
  const { data, statisticsData: recalibrationData } = await openData(options, dataContext(read));
  return withCheckpoints(paths, async (checkpoints) => {
    const named = [options.graph, options.exportedFrom].filter((file) => file !== undefined);
    const inputs = [...checkpoints.flatMap(({ files }) => files), ...named];
    for (const file of [journal, output, report]) if (file !== undefined) await assertOutput(file, inputs);
    const bound = await bindArchitecture(fitToData(read, data), checkpoints, options, context);
    const { networks, binding, ...architecture } = bound;
    for (const line of describeFeeds("measure a landscape", bound.graph, data, {
      ...options,
      ...encodingOf(read),
    }))
      context.terminal.note(line);
    const labels = labelsOf(paths);
    const all = networks.map(({ network }, k): PlaneSubject => ({ label: at(labels, k, "label"), network }));
    const feeds = { context: dataContext(read), statistics: options.statistics };
    const subjects = { network: at(all, 0, "network"), others: all.slice(1) };
    const result = await measureLandscape(architecture, subjects, data, {
      ...measureOptions(options, directions),
      statisticsData: recalibrationData ?? (await openUnscoredFor(bound.graph, options, feeds)),
      signal: context.signal,
      onProgress: ({ stage, done }) => context.progress(STAGES[stage], done),
    });
    await saveResult(result, { output, report }, { inputs, context });
    const outputs = [output, report].filter((file) => file !== undefined);
    return {
      result: { ...result, binding },
      text: formatLandscape(result, context.terminal) + formatOutputs(outputs),
    };
  });
}

function measureOptions(options: LandscapeVerbOptions, directions: LandscapeKind) {
  const { dimensions, points, range, normalize, vectors, seed, hessianExamples, steps, local } = options;
  const { statistics, journal } = options;
  return {
    ...{ directions, dimensions, points, range, normalization: normalize, vectors, seed },
    ...{ hessianExamples, steps, local, statistics, journalPath: journal },
  };
}

const STAGES = { eigenvectors: "Computing eigenvectors", grid: "Measuring the landscape" } as const;
