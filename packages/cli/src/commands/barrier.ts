import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import {
  BARRIER_LABELS,
  type BarrierCurve,
  decomposeBarrier,
  GROUPINGS,
  type Grouping,
  type LayerPattern,
  MEASURE_BARRIER_DEFAULTS,
  measureBarrier,
} from "@isthmus/barrier";
import { at, saveFile, UsageError } from "@isthmus/core";
import { PATH_KINDS, type PathKind } from "@isthmus/interpolation";
import { renderResultPage } from "@isthmus/report";
import { STATISTICS_POLICIES, type StatisticsPolicy } from "@isthmus/statistics";
import { describePair } from "../format/describe-pair.ts";
import { formatBarriers } from "../format/format-barriers.ts";
import { formatNote, formatOutputs } from "../format/format-outputs.ts";
import { BETWEEN, formatMerge, formatStatistics } from "../format/format-statistics.ts";
import { type Pair, withPair } from "../open/open-pair.ts";
import { addPairOptions, type PairOptions } from "../options/pair-options.ts";
import { MOST, parseCount, parseGroups, parseNumber } from "../options/parse-values.ts";
import { assertPageName } from "../output/assert-output.ts";
import { type Context, createVerb, formatExamples, type Outcome, type RunVerb } from "../verb.ts";

interface BarrierOptions extends PairOptions {
  readonly points: number;
  readonly refine?: number | true | undefined;
  readonly path: PathKind;
  readonly compare?: true | undefined;
  /** Former spelling of `statistics`. */
  readonly batchNorm?: StatisticsPolicy | undefined;
  readonly bootstrap: number;
  readonly decompose?: Grouping | undefined;
  readonly groups?: readonly LayerPattern[] | undefined;
  readonly maxBarrier?: number | undefined;
  readonly report?: string | undefined;
}

/** Number of places that `--refine` adds if it names none. */
const REFINED_PLACES = 8;

/** Creates the command `isthmus barrier`. */
export function barrierVerb(run: RunVerb): CommandUnknownOpts {
  return addPairOptions(createBarrierVerb())
    .addHelpText("after", EXAMPLES)
    .action((a, b, options) => run(options, (context) => barrier([a, b], options, context)));
}

function createBarrierVerb() {
  return createVerb("barrier")
    .argument("<a>", "the checkpoint at t = 0")
    .argument("<b>", "the checkpoint at t = 1")
    .option(
      "--points <n>",
      "number of evenly spaced places, both ends among them",
      parseCount(3, MOST.places),
      MEASURE_BARRIER_DEFAULTS.points,
    )
    .option(
      "--refine [n]",
      `up to n more places where the curve is highest (n: ${REFINED_PLACES})`,
      parseCount(1, MOST.places),
    )
    .addOption(pathOption())
    .option("--compare", "with --align or --alignment: measure B as it is, too")
    .addOption(new Option("--batch-norm <policy>").choices(STATISTICS_POLICIES).hideHelp())
    .option(
      "--bootstrap <n>",
      "number of resamples of the examples, for confidence intervals",
      parseCount(0, MOST.resamples),
      MEASURE_BARRIER_DEFAULTS.bootstrap,
    )
    .option(
      "--temperature",
      "measure the loss also with one softmax temperature fitted at every place, on the examples for statistics",
    )
    .addOption(decomposeOption())
    .option(
      "--groups <list>",
      "with --decompose: parts to form first, for example qk0=blocks.0.attn.q+blocks.0.attn.k",
      parseGroups,
    )
    .option("--max-barrier <x>", "end with exit code 1 if the loss barrier is higher", parseNumber)
    .option("--report <file>", "write a page with curves and all numbers (.html)");
}

const pathOption = () =>
  new Option("--path <kind>", "the path from A to B: the line, or the arc (spherical)")
    .choices(PATH_KINDS)
    .default("linear" as const);

const decomposeOption = () =>
  new Option(
    "--decompose [by]",
    "take the barrier half-way apart: what each part averaged or put back alone adds, and which examples carry it; with --temperature, of the loss with temperatures (by: layer)",
  )
    .choices(GROUPINGS)
    .preset("layer" as const);

const EXAMPLES = formatExamples(
  ["isthmus barrier llama-a llama-b --data npz:tokens.npz", "two model folders, on token ids"],
  [
    "isthmus barrier a.safetensors b.safetensors --graph model.onnx --data mnist:test",
    "two networks as they are",
  ],
  [
    "isthmus barrier a.pt b.pt --graph model.onnx --data mnist:test --align --compare --report barrier.html",
    "before and after alignment, also as a page",
  ],
  [
    "isthmus barrier a.pt b.pt --graph cnn.onnx --data idx:images.gz,labels.gz --align --recalibrate-examples 10000",
    "with batch-norm statistics measured anew",
  ],
  [
    "isthmus barrier a.pt b.pt --graph cnn.onnx --data fashion-mnist:test --align --method activation --statistics repair --recalibrate-data fashion-mnist:train@10000",
    "align by activations, and correct statistics by REPAIR",
  ],
  [
    "isthmus barrier a.pt b.pt --graph vit.onnx --data fashion-mnist:test --align --temperature --recalibrate-data fashion-mnist:train@2000",
    "how much of the barrier is a matter of how sure the networks between are: a temperature fitted at every place",
  ],
  [
    "isthmus barrier a.pt b.pt --graph vit.onnx --data fashion-mnist:test@2000 --align --decompose block --report barrier.html",
    "which blocks make the barrier, and which examples carry it",
  ],
  [
    "isthmus barrier start.safetensors a.safetensors --graph a.onnx --data mnist:test",
    "from where training began (isthmus train --epochs 0 with the same seed -o start.safetensors) to where it ended",
  ],
  [
    "isthmus barrier a.safetensors b.safetensors --graph gpt.onnx --data text:book.txt:test --align",
    "two language models, in nats and errors per token",
  ],
);

async function barrier(
  paths: readonly [string, string],
  options: BarrierOptions,
  context: Context,
): Promise<Outcome> {
  assertUsage(options);
  const { report, statistics = options.batchNorm } = options;
  const outputs = report === undefined ? [] : [report];
  return withPair({ paths, options: { ...options, statistics }, outputs }, context, async (pair) => {
    const curves = await takeLastApart(await measureCurves(pair, options, context), pair, {
      options,
      context,
    });
    if (report !== undefined) {
      const page = await renderResultPage({
        result: curves,
        ...describePair(paths, { ...options, ...pair }, context),
      });
      await saveFile(report, page, pair.inputs);
    }
    return describeOutcome(curves, pair, { options, context });
  });
}

function assertUsage(options: BarrierOptions): void {
  const { align, alignment, compare, decompose, groups, path, report } = options;
  if (report !== undefined) assertPageName(report);
  if (options.statistics !== undefined && options.batchNorm !== undefined) {
    throw new UsageError(
      "Cannot measure a barrier as --batch-norm is another name of --statistics: got both",
    );
  }
  if (groups !== undefined && decompose === undefined) {
    throw new UsageError(
      "Cannot group parts as --groups says what they are for --decompose: add --decompose",
    );
  }
  if (decompose !== undefined && path !== "linear") {
    throw new UsageError(
      `Cannot take a barrier apart as parts are averaged on the line between A and B: got --decompose with --path ${path}`,
    );
  }
  if (compare && !align && alignment === undefined) {
    throw new UsageError(
      "Cannot compare B with itself as --compare needs B aligned, too: add --align or --alignment",
    );
  }
}

/**
 * Measures the curve to B as it is in its file, if B is not aligned or both are compared, and then the
 * curve to the aligned B.
 */
async function measureCurves(
  { a, b, unaligned, statistics, statisticsData, ...measured }: Pair,
  options: BarrierOptions,
  context: Context,
): Promise<BarrierCurve[]> {
  const { points, refine, path, bootstrap, seed, temperature = false } = options;
  const networks = [
    ...(b === unaligned || options.compare ? [{ label: BARRIER_LABELS.given, network: unaligned }] : []),
    ...(b === unaligned ? [] : [{ label: BARRIER_LABELS.aligned, network: b }]),
  ];
  const curves: BarrierCurve[] = [];
  for (const [index, { label, network }] of networks.entries()) {
    const result = await measureBarrier(measured, [a, network], measured.data, {
      ...{ points, path, bootstrap, seed, statistics, statisticsData, temperature },
      refine: refine === true ? REFINED_PLACES : (refine ?? 0),
      signal: context.signal,
      onProgress: ({ done }) => context.progress(`Measuring ${label}`, (index + done) / networks.length),
    });
    curves.push({ label, result });
  }
  return curves;
}

/** Takes the last barrier, half-way, apart if that is asked for. */
async function takeLastApart(
  curves: readonly BarrierCurve[],
  { a, b, data, graph, engine, statistics, statisticsData }: Pair,
  { options, context }: { readonly options: BarrierOptions; readonly context: Context },
): Promise<BarrierCurve[]> {
  const { decompose: by, groups, temperature = false } = options;
  if (by === undefined) return [...curves];
  const decomposition = await decomposeBarrier({ graph, engine }, [a, b], data, {
    ...{ by, statistics, statisticsData, temperature },
    ...(groups === undefined ? {} : { groups }),
    signal: context.signal,
    onProgress: ({ done }) => context.progress("Taking the barrier apart", done),
  });
  return curves.map((curve, index) => (index === curves.length - 1 ? { ...curve, decomposition } : curve));
}

function describeOutcome(
  curves: readonly BarrierCurve[],
  { summary, graph, binding }: Pair,
  { options, context }: { readonly options: BarrierOptions; readonly context: Context },
): Outcome {
  const { result, decomposition } = at(curves, curves.length - 1, "curve");
  const asGiven = curves.length > 1 ? at(curves, 0, "curve").result : undefined;
  const height = result.barrier.loss.chord;
  const limit = options.maxBarrier;
  const outputs = options.report === undefined ? [] : [options.report];
  return {
    result: {
      ...result,
      ...(decomposition && { decomposition }),
      ...(summary && { alignment: summary }),
      ...(asGiven && { asGiven }),
      binding,
    },
    text: [
      formatBarriers(curves, context.terminal),
      ...formatNote(formatStatistics(graph, result, BETWEEN)),
      ...formatNote(formatMerge(graph, result)),
      formatOutputs(outputs),
    ].join(""),
    failure:
      limit !== undefined && height > limit ? `the loss barrier is ${height}, more than ${limit}` : undefined,
  };
}
