import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import {
  BARRIER,
  BARRIER_LABELS,
  type BarrierChoice,
  type BarrierCurve,
  type ComparedBarrierResult,
  DECOMPOSE_FIELDS,
  decomposeBarrier,
  type Grouping,
  type LayerPattern,
  measureBarrier,
  RESAMPLING_FIELDS,
  type ResamplingChoice,
} from "@isthmus/barrier";
import { at, type FieldsOf, resolveFields, saveFile, UsageError } from "@isthmus/core";
import { type Pair, withPair } from "@isthmus/measurements/open";
import { renderResultPage } from "@isthmus/report";
import { STATISTICS_POLICIES, type StatisticsPolicy } from "@isthmus/statistics";
import { describePair } from "../format/describe-pair.ts";
import { formatBarriers } from "../format/format-barriers.ts";
import { formatNote, formatOutputs } from "../format/format-outputs.ts";
import { BETWEEN, formatMerge, formatStatistics } from "../format/format-statistics.ts";
import { addFieldOptions, readFields } from "../measurement/field-options.ts";
import { openingOf } from "../measurement/open-subject.ts";
import { addStatisticsDataOptions, UNSCORED } from "../options/norm-options.ts";
import { addPairSubjectOptions, type PairOptions } from "../options/pair-options.ts";
import { parseNumber } from "../options/parse-values.ts";
import { assertPageName, assertResultName } from "../output/assert-output.ts";
import { saveResult } from "../result/save-result.ts";
import { type Context, createVerb, formatExamples, type Outcome, type RunVerb } from "../verb.ts";

/** Options of the command that choose the measurement; `decompose` is the `by` of taking a barrier apart. */
interface Chosen extends BarrierChoice, Omit<ResamplingChoice, "seed"> {
  readonly decompose?: Grouping;
  readonly groups?: readonly LayerPattern[];
}

const { by, groups } = DECOMPOSE_FIELDS;
const { seed: _, ...RESAMPLING } = RESAMPLING_FIELDS;

const FIELDS: FieldsOf<Chosen> = {
  ...BARRIER.options,
  ...RESAMPLING,
  // Without the option nothing is taken apart.
  decompose: { ...by, default: undefined },
  groups: { ...groups, requires: "decompose", help: `with --decompose: ${groups.help}` },
};

interface BarrierOptions extends Omit<PairOptions, "statistics"> {
  /** Options of the measurement that the command line gives. */
  readonly chosen: Chosen;
  readonly compare?: true | undefined;
  /** Former spelling of `statistics`. */
  readonly batchNorm?: StatisticsPolicy | undefined;
  readonly maxBarrier?: number | undefined;
  readonly output?: string | undefined;
  readonly report?: string | undefined;
}

/** Creates the command `isthmus barrier`. */
export function barrierVerb(run: RunVerb): CommandUnknownOpts {
  const command: CommandUnknownOpts = createVerb("barrier");
  const heading = command.optionsGroup();
  command
    .argument("<a>", "the checkpoint at t = 0")
    .argument("<b>", "the checkpoint at t = 1")
    .option("--compare", "with --align or --alignment: measure B as trained, too")
    .addOption(new Option("--batch-norm <policy>").choices(STATISTICS_POLICIES).hideHelp())
    .option("--max-barrier <x>", "end with exit code 1 if the loss barrier is higher", parseNumber);
  addPairSubjectOptions(command);
  addStatisticsDataOptions(command, `${UNSCORED}, or with --temperature`);
  addFieldOptions(command.optionsGroup(heading), FIELDS);
  return command
    .option("-o, --output <file>", "write the result (.json)")
    .option("--report <file>", "write a page with curves and all numbers (.html)")
    .addHelpText("after", EXAMPLES)
    .action(() => {
      const ends = [at(command.args, 0, "path"), at(command.args, 1, "path")] as const;
      return run(command.opts(), (context) => barrier(ends, optionsOf(command), context));
    });
}

/** Returns the options that a command line gives. Commander cannot know the types of options from tables. */
function optionsOf(command: CommandUnknownOpts): BarrierOptions {
  const chosen: Chosen = readFields(BARRIER.attempt, command, FIELDS);
  return { ...(command.opts() as unknown as BarrierOptions), chosen };
}

const EXAMPLES = formatExamples(
  ["isthmus barrier llama-a llama-b --data npz:tokens.npz", "two model folders, on token ids"],
  [
    "isthmus barrier a.safetensors b.safetensors --graph model.onnx --data mnist:test",
    "two networks as trained",
  ],
  [
    "isthmus barrier a.pt b.pt --graph model.onnx --data mnist:test --align --compare --report barrier.html",
    "before and after alignment, also as a page",
  ],
  [
    "isthmus barrier a.pt b.pt --graph model.onnx --data mnist:test --align --compare -o barrier.json",
    "for a paper: isthmus report barrier.json --svg figures --pdf figures draws both curves",
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
  const { chosen, output, report, batchNorm } = options;
  const { statistics = batchNorm } = chosen;
  const outputs = [output, report].filter((file) => file !== undefined);
  const opening = await openingOf({ flags: options, statistics, outputs }, context);
  return withPair({ paths, options: opening }, async (pair) => {
    const curves = await takeLastApart(await measureCurves(pair, options, context), pair, {
      options,
      context,
    });
    const { files: inputs, summary, binding } = pair;
    const result = comparedOf(curves, summary);
    await saveResult(result, { output }, { inputs, context });
    if (report !== undefined) {
      const page = await renderResultPage({
        result: curves,
        ...describePair(paths, { ...options, ...pair }, context),
      });
      await saveFile(report, page, inputs);
    }
    const height = result.barrier.loss.chord;
    const limit = options.maxBarrier;
    const isTooHigh = limit !== undefined && height > limit;
    return {
      result: { ...result, binding },
      text: [
        formatBarriers(curves, context.terminal),
        ...formatNote(formatStatistics(pair.graph, result, BETWEEN)),
        ...formatNote(formatMerge(pair.graph, result)),
        formatOutputs(outputs),
      ].join(""),
      failure: isTooHigh ? `the loss barrier is ${height}, more than ${limit}` : undefined,
    };
  });
}

/**
 * Returns the last barrier, with the alignment of B and, if both were measured, the barrier to the unaligned
 * B.
 */
function comparedOf(curves: readonly BarrierCurve[], summary: Pair["summary"]): ComparedBarrierResult {
  const { result, decomposition } = at(curves, curves.length - 1, "curve");
  const asGiven = curves.length > 1 ? at(curves, 0, "curve").result : undefined;
  return {
    ...result,
    ...(decomposition && { decomposition }),
    ...(summary && { alignment: summary }),
    ...(asGiven && { asGiven }),
  };
}

function assertUsage({ align, alignment, compare, batchNorm, chosen, output, report }: BarrierOptions): void {
  if (output !== undefined) assertResultName(output);
  if (report !== undefined) assertPageName(report);
  const { decompose, path } = resolveFields<Chosen>(BARRIER.attempt, FIELDS, chosen);
  if (chosen.statistics !== undefined && batchNorm !== undefined) {
    throw new UsageError(
      "Cannot measure a barrier as --batch-norm is another name of --statistics: got both",
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
 * Measures the curve to the unaligned B, if B is not aligned or both are compared, and then the curve to the
 * aligned B.
 */
async function measureCurves(
  { a, b, unaligned, statistics, statisticsData, ...measured }: Pair,
  options: BarrierOptions,
  context: Context,
): Promise<BarrierCurve[]> {
  const { compare, seed, chosen } = options;
  const { decompose: _, groups: __, ...choice } = chosen;
  const networks = [
    ...(b === unaligned || compare ? [{ label: BARRIER_LABELS.given, network: unaligned }] : []),
    ...(b === unaligned ? [] : [{ label: BARRIER_LABELS.aligned, network: b }]),
  ];
  const curves: BarrierCurve[] = [];
  for (const [index, { label, network }] of networks.entries()) {
    const result = await measureBarrier(measured, [a, network], measured.data, {
      ...choice,
      seed,
      statistics,
      statisticsData,
      signal: context.signal,
      onProgress: ({ done }) => context.progress(`Measuring ${label}`, (index + done) / networks.length),
    });
    curves.push({ label, result });
  }
  return curves;
}

/** Takes the last barrier apart, half-way, if the options ask for that. */
async function takeLastApart(
  curves: readonly BarrierCurve[],
  { a, b, data, graph, engine, statistics, statisticsData }: Pair,
  { options, context }: { readonly options: BarrierOptions; readonly context: Context },
): Promise<BarrierCurve[]> {
  const resolved = resolveFields<Chosen>(BARRIER.attempt, FIELDS, options.chosen);
  const { decompose, groups, temperature, batchSize } = resolved;
  if (decompose === undefined) return [...curves];
  const decomposition = await decomposeBarrier({ graph, engine }, [a, b], data, {
    by: decompose,
    ...(groups && { groups }),
    ...(temperature !== undefined && { temperature }),
    ...(batchSize !== undefined && { batchSize }),
    statistics,
    statisticsData,
    signal: context.signal,
    onProgress: ({ done }) => context.progress("Taking the barrier apart", done),
  });
  return curves.map((curve, index) => (index === curves.length - 1 ? { ...curve, decomposition } : curve));
}
