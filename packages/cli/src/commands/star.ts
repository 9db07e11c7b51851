import { rm } from "node:fs/promises";
import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { type Checkpoint, createCheckpoint, UsageError } from "@isthmus/core";
import { bindWeights, predictsClasses } from "@isthmus/graph";
import { type StarSubject, withStar } from "@isthmus/measurements/open";
import {
  comparePredictors,
  type FindStarProgress,
  type FoundStar,
  findStar,
  measureStar,
  type PredictorComparison,
  type StarResult,
} from "@isthmus/star-domain";
import { formatNote, formatOutputs } from "../format/format-outputs.ts";
import { formatStatistics, measuredOn } from "../format/format-statistics.ts";
import { saveMade } from "../making/save-made.ts";
import { readingOf } from "../open/reading-of.ts";
import { HELP_GROUPS } from "../options/help-groups.ts";
import { assertOutput, assertPageName } from "../output/assert-output.ts";
import { saveResult } from "../result/save-result.ts";
import { formatStar } from "../star/format-star.ts";
import { addStarOptions, type StarVerbOptions } from "../star/star-options.ts";
import { followTraining } from "../training/follow-training.ts";
import { nameCheckpoint } from "../training/training-files.ts";
import { trainingOptions } from "../training/training-options.ts";
import { withTrainingLock } from "../training/with-training-lock.ts";
import { type Context, createVerb, formatExamples, type Outcome, type RunVerb } from "../verb.ts";

/** Creates the command `isthmus star`. */
export function starVerb(run: RunVerb): CommandUnknownOpts {
  return addStarOptions(
    createVerb("star", HELP_GROUPS.networks).argument(
      "<anchors...>",
      "two or more trained networks to connect to; * and ? are wildcards for files",
    ),
  )
    .addHelpText("after", EXAMPLES)
    .action((paths, options) => run(options, (context) => runStar(paths, options, context)));
}

const EXAMPLES = formatExamples(
  [
    "isthmus star nets/?.safetensors --held-out held/*.safetensors --graph nets/0.onnx --data mnist --epochs 30 --lr 0.1 --nesterov -o star.safetensors",
    "a star of all networks of a folder, verified on others; start it again with --resume after an interruption",
  ],
  [
    "isthmus star nets/*.safetensors --net mlp:32 --data mnist --ood-data fashion-mnist:test -o star.safetensors --report star.html",
    "from random weights, with predictions on digits and on clothes, as a page",
  ],
);

async function runStar(
  paths: readonly string[],
  options: StarVerbOptions,
  context: Context,
): Promise<Outcome> {
  const { report, graph, net } = options;
  if (graph !== undefined && net !== undefined) {
    throw new UsageError("Cannot find a star as --graph and --net both say the architecture: leave one out");
  }
  if (report !== undefined) assertPageName(report);
  const { checkpoint, state } = nameCheckpoint(options.output);
  const files = { checkpoint, state, report };
  const reading = { ...(await readingOf(options, context)), onProgress: context.progress };
  return withStar(paths, reading, ({ files: inputs, ...subject }) =>
    runJob({ ...subject, inputs, files, options }, context),
  );
}

interface Job extends Omit<StarSubject, "files"> {
  /** Paths of all files that are read. */
  readonly inputs: readonly string[];
  readonly files: {
    readonly checkpoint: string;
    readonly state: string;
    readonly report: string | undefined;
  };
  readonly options: StarVerbOptions;
}

/**
 * Finds the star and saves it before it is measured; the state of the search is removed last, so that
 * `--resume` repeats the measuring only.
 */
async function runJob(job: Job, context: Context): Promise<Outcome> {
  const { files, inputs, options } = job;
  for (const path of Object.values(files)) if (path !== undefined) await assertOutput(path, inputs);
  const { output, resume } = options;
  return withTrainingLock({ state: files.state, output, resume, note: context.terminal.note }, () =>
    runAlone(job, context),
  );
}

async function runAlone(job: Job, context: Context): Promise<Outcome> {
  const { files, inputs } = job;
  const search = await findStarOf(job, context);
  await save(search, job, context);
  const measured = await measure(search.star, job, context);
  const predictions = await predict(search.star, job, context);
  const result: StarResult = predictions === undefined ? measured : { ...measured, predictions };
  await saveResult(result, { report: files.report }, { inputs, context });
  await rm(files.state, { force: true });
  const outputs = [files.checkpoint, ...(files.report === undefined ? [] : [files.report])];
  return {
    result: { ...result, search: search.result, binding: job.binding, outputs },
    text: [
      formatStar(result, context.terminal),
      ...formatNote(
        formatStatistics(job.graph, {
          ...measuredOn(job.data.statistics),
          statistics: job.options.statistics ?? "recalibrate",
        }),
      ),
      formatOutputs(outputs),
    ].join(""),
  };
}

async function findStarOf(job: Job, context: Context): Promise<FoundStar> {
  const { options, files, data } = job;
  const { rays, alignEvery, restarts, starts, memory, recalibrateExamples, resume = false } = options;
  return followTraining({ verb: "star", state: files.state }, context, ({ onProgress, ...following }) =>
    findStar(job, job.anchors, data.training, {
      start: job.start,
      ...trainingOptions(options, { graph: job.graph, data: data.training }),
      rays,
      alignEvery,
      restarts,
      starts,
      memory,
      resume,
      statisticsExamples: recalibrateExamples,
      ...following,
      onProgress: (at) => ("step" in at ? onProgress?.(at) : showPhase(at, context.progress)),
    }),
  );
}

/** Shows the work between epochs as progress. */
function showPhase(
  at: Exclude<FindStarProgress, { readonly step: number }>,
  progress: Context["progress"],
): void {
  if (at.phase === "measuring statistics") progress("Measuring batch norms");
  else if (at.phase === "trying starts") progress(`Trying start ${at.start + 1} of ${at.starts}`, at.done);
  else progress(`Aligning anchors for epoch ${at.epoch + 1}`, at.aligned / at.anchors);
}

async function save({ star, result }: FoundStar, job: Job, context: Context): Promise<void> {
  const { graph, anchors, data, files } = job;
  const { rays, alignEvery, seed, batch, epochs, tried } = result;
  const making = { rays, alignEvery, data: data.training.name, batch, seed, epochs: epochs.length };
  const weights = createCheckpoint(await bindWeights(graph, star));
  const options = tried === undefined ? making : { ...making, starts: tried.length };
  const made = { verb: "star", from: anchors, options };
  await saveMade(job.restore(weights), files.checkpoint, made, context);
}

async function measure(star: Checkpoint, job: Job, { signal, progress }: Context): Promise<StarResult> {
  const { data, options, files } = job;
  const { seed, points, pairs, statistics = "recalibrate" } = options;
  const named = { ...star, source: files.checkpoint };
  return measureStar(job, { star: named, anchors: job.anchors, heldOut: job.heldOut }, data.measured, {
    seed,
    points,
    regularPairs: pairs,
    statistics,
    statisticsData: data.statistics,
    signal,
    onProgress: ({ done }) => progress("Measuring pairs", done),
  });
}

async function predict(
  star: Checkpoint,
  job: Job,
  { signal, progress }: Context,
): Promise<PredictorComparison | undefined> {
  const { test, outOfDistribution, statistics } = job.data;
  // Numbers, positions and pixels have no probabilities of one class for each example.
  if (test === undefined || !predictsClasses(job.graph, test)) return undefined;
  const { seed, members = job.anchors.length, rays } = job.options;
  return comparePredictors(job, { star, anchors: job.anchors }, test, {
    outOfDistribution,
    seed,
    members,
    rays,
    statisticsData: statistics,
    signal,
    onProgress: ({ done }) => progress("Predicting", done),
  });
}
