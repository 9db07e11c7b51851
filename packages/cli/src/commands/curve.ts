import { rm } from "node:fs/promises";
import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { type Checkpoint, describeMaking, saveCheckpoint, UsageError } from "@isthmus/core";
import {
  type CurveResult,
  MEASURE_PATH_FIELDS,
  measureCurve,
  TRAIN_CURVE_DEFAULTS,
  type TrainedCurve,
  trainCurve,
} from "@isthmus/curve";
import { type BoundNetwork, type DataSet, limitExamples } from "@isthmus/graph";
import { CURVE_KINDS, type CurveKind } from "@isthmus/interpolation";
import { recalibrateBatchNorm, STATISTICS_EXAMPLES } from "@isthmus/statistics";
import {
  assertArchitecture,
  type DataContext,
  dataContext,
  fitToData,
  type OpenedArchitecture,
} from "@isthmus/zoo";
import { describeFeeds, encodingOf } from "../format/describe-feeds.ts";
import { formatCurve } from "../format/format-curve.ts";
import { formatNote, formatOutputs } from "../format/format-outputs.ts";
import { formatStatistics, measuredOn } from "../format/format-statistics.ts";
import { addBindingOptions, type BindingOptions, bindArchitecture } from "../open/bind-architecture.ts";
import { openSharedArchitecture } from "../open/open-architecture.ts";
import { withCheckpoints } from "../open/open-checkpoints.ts";
import { addScalingOptions, openStatisticsData, type ScalingOptions } from "../open/open-data.ts";
import { dataForms } from "../options/data-forms.ts";
import { addEngineOption, type EngineOptions } from "../options/engine-option.ts";
import { HELP_GROUPS } from "../options/help-groups.ts";
import { addNormOptions, assertNotKept, type NormOptions } from "../options/norm-options.ts";
import { MOST, parseCount } from "../options/parse-values.ts";
import { assertOutput, assertPageName } from "../output/assert-output.ts";
import { saveResult } from "../result/save-result.ts";
import { addTrainingOptions } from "../training/add-training-options.ts";
import { type CurveFiles, nameCurveFiles } from "../training/curve-files.ts";
import { followTraining } from "../training/follow-training.ts";
import { openTrainingData } from "../training/open-training-data.ts";
import { type TrainingFlags, trainingOptions } from "../training/training-options.ts";
import { withTrainingLock } from "../training/with-training-lock.ts";
import { type Context, createVerb, formatExamples, type Outcome, type RunVerb } from "../verb.ts";

interface CurveVerbOptions
  extends TrainingFlags,
    ScalingOptions,
    NormOptions,
    Omit<BindingOptions, "loss">,
    EngineOptions {
  readonly graph?: string | undefined;
  readonly data: string;
  readonly testData?: string | undefined;
  readonly curve: CurveKind;
  readonly bends: number;
  readonly points: number;
  readonly output: string;
  readonly resume?: true | undefined;
  readonly report?: string | undefined;
}

/** Creates the command `isthmus curve`. */
export function curveVerb(run: RunVerb): CommandUnknownOpts {
  return withOutput(withMeasurement(withTraining()))
    .addHelpText("after", EXAMPLES)
    .action((a, b, options) => run(options, (context) => curve([a, b], options, context)));
}

function withTraining() {
  const command = createVerb("curve", HELP_GROUPS.done)
    .argument("<a>", "the checkpoint where the curve starts")
    .argument("<b>", "the checkpoint where it ends")
    .option(
      "--graph <file>",
      "their architecture, an .onnx file or the model.json of a LayersModel (default: from their config.json)",
    )
    .requiredOption(
      "--data <name>",
      `examples to train on; ${dataForms(":train (if not said), :test or :val")}`,
    )
    .addOption(
      new Option("--curve <kind>", "one curve drawn towards the bends, or a chain of lines through them")
        .choices(CURVE_KINDS)
        .default(TRAIN_CURVE_DEFAULTS.curve),
    )
    .option(
      "--bends <n>",
      "number of networks to train between the ends",
      parseCount(1, MOST.columns),
      TRAIN_CURVE_DEFAULTS.bends,
    );
  return addBindingOptions(addTrainingOptions(addScalingOptions(command), 1));
}

function withMeasurement(command: ReturnType<typeof withTraining>) {
  const measured = command
    .optionsGroup(HELP_GROUPS.measured)
    .option(
      "--test-data <name>",
      "examples to measure on (default: the test split of --data, or else its validation split, if it has one and names none)",
    )
    .option(
      "--points <n>",
      "number of evenly spaced places, both ends among them",
      parseCount(2, MOST.places),
      MEASURE_PATH_FIELDS.points.default,
    );
  return addEngineOption(addNormOptions(measured, `the first ${STATISTICS_EXAMPLES} of --data`));
}

function withOutput(command: ReturnType<typeof withMeasurement>) {
  return command
    .optionsGroup(HELP_GROUPS.output)
    .requiredOption("-o, --output <path>", "the bends: a file ending in .safetensors for one, or a folder")
    .option("--resume", "go on from the state in or beside OUTPUT if an interrupted training left one")
    .option("--report <file>", "write a page with the curve, the line and all numbers (.html)");
}

const EXAMPLES = formatExamples(
  [
    "isthmus curve a.safetensors b.safetensors --graph model.onnx --data mnist --epochs 3 -o bend.safetensors",
    "a Bezier curve with one bend; isthmus plane a b bend shows where it goes",
  ],
  [
    "isthmus curve a.pt b.pt --graph cnn.onnx --data fashion-mnist --curve chain --bends 3 --epochs 5 --lr 0.02 --weight-decay 5e-4 -o chain --resume",
    "a chain of four lines; start it again after an interruption and it goes on where it was",
  ],
);

async function curve(
  paths: readonly [string, string],
  options: CurveVerbOptions,
  context: Context,
): Promise<Outcome> {
  assertNotKept(options);
  if (options.report !== undefined) assertPageName(options.report);
  const { state } = nameCurveFiles(options.output, options.bends);
  return withTrainingLock({ state, output: options.output }, () => findCurve(paths, options, context));
}

async function findCurve(
  paths: readonly [string, string],
  options: CurveVerbOptions,
  context: Context,
): Promise<Outcome> {
  const { report } = options;
  const files = nameCurveFiles(options.output, options.bends);
  return withCheckpoints(paths, async ([a, b]) => {
    const named = [options.graph, options.exportedFrom].filter((path) => path !== undefined);
    const inputs = [...a.files, ...b.files, ...named];
    const written = [files.state, ...files.bends];
    for (const path of report === undefined ? written : [...written, report])
      await assertOutput(path, inputs);
    await assertArchitecture("train a curve", paths, options);
    const read = await openSharedArchitecture(paths, options);
    const data = await openCurveData(options, dataContext(read));
    const opened = fitToData(read, data.training);
    const { networks, binding, ...architecture } = await bindArchitecture(opened, [a, b], options, context);
    for (const line of describeFeeds("train a curve", architecture.graph, data.training, {
      ...options,
      ...encodingOf(read),
    }))
      context.terminal.note(line);
    const [one, two] = networks as [BoundNetwork, BoundNetwork];
    const job: CurveJob = {
      ...architecture,
      a: one.network,
      b: two.network,
      start: one,
      files,
      data,
      options,
    };
    const trained = await trainBends(job, context);
    const result = await measureBends(trained, job, context);
    await saveResult(result, { report }, { inputs, context });
    const bends = await saveBends(trained, job, context);
    const outputs = report === undefined ? bends : [...bends, report];
    return {
      result: { ...result, binding, outputs },
      text: [
        formatCurve(result, context.terminal),
        ...formatNote(
          formatStatistics(job.graph, { ...measuredOn(data.statistics), statistics: options.statistics }),
        ),
        formatOutputs(outputs),
      ].join(""),
    };
  });
}

/** The examples to train on, to measure on, and to measure statistics on. */
interface CurveData {
  readonly training: DataSet;
  readonly test: DataSet;
  readonly statistics: DataSet;
}

async function openCurveData(options: CurveVerbOptions, context: DataContext): Promise<CurveData> {
  const { testData, recalibrateData, recalibrateExamples } = options;
  const { data: training, evaluationData: test } = await openTrainingData(
    { ...options, evalData: testData },
    context,
  );
  if (test === undefined) {
    throw new UsageError(
      "Cannot measure the curve as it needs examples that it was not trained on: name them with --test-data",
    );
  }
  const statistics =
    recalibrateData === undefined
      ? limitExamples("recalibrate batch norms", training, recalibrateExamples ?? STATISTICS_EXAMPLES)
      : await openStatisticsData(options, context);
  return { training, test, statistics };
}

interface CurveJob extends OpenedArchitecture {
  readonly a: Checkpoint;
  readonly b: Checkpoint;
  /** A bound to the graph; the bends are saved under the names of its file. */
  readonly start: BoundNetwork;
  readonly files: CurveFiles;
  readonly data: CurveData;
  readonly options: CurveVerbOptions;
}

function trainBends(
  { graph, engine, a, b, files, data: { training: data }, options }: CurveJob,
  context: Context,
): Promise<TrainedCurve> {
  const { curve: kind, bends, resume = false } = options;
  return followTraining({ verb: "curve", state: files.state }, context, (following) =>
    trainCurve({ graph, engine }, [a, b], data, {
      ...trainingOptions(options, { graph, data }),
      ...following,
      curve: kind,
      bends,
      resume,
    }),
  );
}

async function measureBends(
  trained: TrainedCurve,
  { graph, engine, data, options }: CurveJob,
  { signal, progress }: Context,
): Promise<CurveResult> {
  const { points, statistics } = options;
  return measureCurve({ graph, engine }, trained, data.test, {
    ...{ points, statistics, statisticsData: data.statistics },
    signal,
    onProgress: ({ done }) => progress("Measuring the curve and the line", done),
  });
}

/**
 * Saves every bend, with its statistics measured anew unless the options keep them, then removes the state
 * of the training; returns the files written.
 */
async function saveBends(
  trained: TrainedCurve,
  { graph, engine, a, b, start, files, data, options }: CurveJob,
  { version, signal }: Context,
): Promise<readonly string[]> {
  const { curve: kind, bends, statistics, epochs, seed } = options;
  const { batch } = trained.result;
  const making = {
    verb: "curve",
    version,
    curve: kind,
    bends,
    data: trained.trainingData,
    epochs,
    batch,
    seed,
  };
  for (const [k, path] of files.bends.entries()) {
    const bend = trained.points[k + 1] ?? a;
    const measured =
      statistics === "keep"
        ? bend
        : await recalibrateBatchNorm({ graph, engine }, bend, data.statistics, { signal });
    await saveCheckpoint(start.restore(measured), path, {
      metadata: describeMaking([a, b], { ...making, bend: k + 1 }),
      overwrite: true,
      signal,
    });
  }
  await rm(files.state, { force: true });
  return files.bends;
}
