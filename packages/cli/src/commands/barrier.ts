import { basename } from "node:path";
import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import {
  type BarrierResult,
  MEASURE_BARRIER_DEFAULTS,
  measureBarrier,
  STATISTICS_POLICIES,
  type StatisticsPolicy,
} from "@isthmus/barrier";
import { type Checkpoint, saveFile } from "@isthmus/core";
import { DATA_SET_FORMS } from "@isthmus/engine";
import { decodeAlignment, permute } from "@isthmus/graph";
import { PATH_KINDS, type PathKind } from "@isthmus/interpolation";
import { type BarrierCurve, renderBarrierPage } from "@isthmus/report";
import { MATCH_WEIGHTS_DEFAULTS, type MatchOptions } from "@isthmus/weight-matching";
import { type AlignedNetwork, alignNetwork, createAligner } from "../aligner.ts";
import { assertOutput } from "../assert-output.ts";
import { type EngineOptions, engineOption } from "../engine-option.ts";
import { formatBarriers } from "../format-barriers.ts";
import { formatObjective } from "../format-objective.ts";
import {
  MATCH_EXAMPLES,
  type MatchVerbOptions,
  methodOption,
  onlyOption,
  openMatching,
  searchOption,
  skipOption,
} from "../match-options.ts";
import { type Architecture, openArchitecture } from "../open-architecture.ts";
import { withCheckpoints } from "../open-checkpoints.ts";
import { type DataOptions, openData } from "../open-data.ts";
import { parseCount, parseNumber, parseSeed } from "../parse-values.ts";
import { readJson } from "../read-json.ts";
import { type Context, createVerb, formatExamples, type Outcome, type RunVerb } from "../verb.ts";

interface BarrierOptions extends DataOptions, EngineOptions, MatchVerbOptions {
  readonly graph: string;
  readonly points: number;
  readonly refine?: number | true | undefined;
  readonly path: PathKind;
  readonly align?: true | undefined;
  readonly alignment?: string | undefined;
  readonly compare?: true | undefined;
  readonly statistics?: StatisticsPolicy | undefined;
  /** Former spelling of `statistics`. */
  readonly batchNorm?: StatisticsPolicy | undefined;
  readonly matchData?: string | undefined;
  readonly bootstrap: number;
  readonly maxBarrier?: number | undefined;
  readonly report?: string | undefined;
}

/** Places `--refine` adds when it is not told how many. */
const REFINED_PLACES = 8;

/** The verb `barrier`. */
export function barrierVerb(run: RunVerb): CommandUnknownOpts {
  return createVerb("barrier")
    .argument("<a>", "the checkpoint at t = 0")
    .argument("<b>", "the checkpoint at t = 1")
    .requiredOption("--graph <file>", "their architecture, an .onnx file or the model.json of a LayersModel")
    .requiredOption(
      "--data <name>",
      `${DATA_SET_FORMS.join(", ")}; then :test or :train, then @N for the first N`,
    )
    .option(
      "--points <n>",
      "evenly spaced places, both ends among them",
      parseCount(3),
      MEASURE_BARRIER_DEFAULTS.points,
    )
    .option(
      "--refine [n]",
      `up to n more places where the curve is highest (n: ${REFINED_PLACES})`,
      parseCount(1),
    )
    .addOption(pathOption())
    .option("--align", "align B to A first")
    .option("--alignment <file>", "permute B by an alignment that isthmus align wrote")
    .option("--compare", "with --align or --alignment: measure B as it is, too")
    .option("--restarts <n>", "searches of --align", parseCount(1), MATCH_WEIGHTS_DEFAULTS.restarts)
    .addOption(methodOption())
    .addOption(searchOption())
    .addOption(onlyOption())
    .addOption(skipOption())
    .option("--match-data <name>", "examples for --method (default: those for --statistics)")
    .option("--match-examples <n>", "only the first n of them", parseCount(1), MATCH_EXAMPLES)
    .addOption(
      new Option(
        "--statistics <policy>",
        "what is done about statistics of activations between the ends: recalibrate batch norms, or repair all layers (default: keep)",
      ).choices(STATISTICS_POLICIES),
    )
    .addOption(new Option("--batch-norm <policy>").choices(STATISTICS_POLICIES).hideHelp())
    .option("--recalibrate-data <name>", "measure statistics on these examples (default: those of --data)")
    .option("--recalibrate-examples <n>", "only on the first n of them", parseCount(1))
    .option(
      "--bootstrap <n>",
      "resamples of the examples, for intervals",
      parseCount(0),
      MEASURE_BARRIER_DEFAULTS.bootstrap,
    )
    .option(
      "--mean <m>",
      "with --std: feed (byte / 255 - mean) / std (default: as usual for the data)",
      parseNumber,
    )
    .option("--std <s>", "see --mean", parseNumber)
    .option("--seed <n>", "seed of --align and --bootstrap", parseSeed, 0)
    .addOption(engineOption())
    .option("--max-barrier <x>", "end with exit code 1 if the loss barrier is higher", parseNumber)
    .option("--report <file>", "write a page with curves and all numbers (.html)")
    .addHelpText("after", EXAMPLES)
    .action((a, b, options) => run(options, (context) => barrier([a, b], options, context)));
}

const pathOption = () =>
  new Option("--path <kind>", "from A to B on the line or on the arc")
    .choices(PATH_KINDS)
    .default("linear" as const);

const EXAMPLES = formatExamples(
  [
    "isthmus barrier a.safetensors b.safetensors --graph model.onnx --data mnist:test",
    "two networks as they are",
  ],
  [
    "isthmus barrier a.pt b.pt --graph model.onnx --data mnist:test --align --compare --report barrier.html",
    "before and after alignment, as a page",
  ],
  [
    "isthmus barrier a.pt b.pt --graph cnn.onnx --data idx:images.gz,labels.gz --align --recalibrate-examples 10000",
    "with batch-norm statistics measured anew",
  ],
  [
    "isthmus barrier a.pt b.pt --graph cnn.onnx --data fashion-mnist:test --align --method activation --statistics repair --recalibrate-data fashion-mnist:train@10000",
    "by activations, and with REPAIR",
  ],
);

async function barrier(
  paths: readonly [string, string],
  options: BarrierOptions,
  context: Context,
): Promise<Outcome> {
  assertUsage(options);
  const { data, statisticsData } = await openData(options);
  const matching = options.align
    ? await openMatching(options, options.matchData ?? statisticsData ?? data)
    : undefined;
  return withCheckpoints(paths, async ([a, b]) => {
    const inputs = [...a.files, ...b.files, options.graph, ...(options.alignment ? [options.alignment] : [])];
    if (options.report !== undefined) await assertOutput(options.report, inputs);
    const architecture = await openArchitecture(options.graph, options);
    const { network, summary } = await alignB(architecture, [a, b], { options, matching, context });
    const labels = [
      ...(network === b || options.compare ? ["as trained"] : []),
      ...(network === b ? [] : ["aligned"]),
    ];
    const curves: BarrierCurve[] = [];
    const results: BarrierResult[] = [];
    for (const [index, label] of labels.entries()) {
      const result = await measureBarrier(
        { ...architecture, a, b: label === "aligned" ? network : b, data },
        {
          ...measureOptions(options),
          statisticsData,
          signal: context.signal,
          onProgress: ({ done, total }) =>
            context.progress(`Measuring ${label}`, (index + done / total) / labels.length),
        },
      );
      curves.push({ label, result });
      results.push(result);
    }
    await writeReport(curves, { paths, inputs, options, context, summary });
    return describeOutcome(curves, results, { options, context, summary });
  });
}

function assertUsage(options: BarrierOptions): void {
  if (options.report !== undefined && !options.report.endsWith(".html")) {
    throw new TypeError(`Cannot write a report as its name must end in .html: got ${options.report}`);
  }
  const { align, alignment, compare, recalibrateData, recalibrateExamples } = options;
  if (options.statistics !== undefined && options.batchNorm !== undefined) {
    throw new TypeError("Cannot measure a barrier as --batch-norm is another name of --statistics: got both");
  }
  if (align && alignment !== undefined) {
    throw new TypeError("Cannot measure a barrier as --align and --alignment exclude each other: got both");
  }
  if (compare && !align && alignment === undefined) {
    throw new TypeError(
      "Cannot compare as there must be something to compare with: add --align or --alignment",
    );
  }
  if (policyOf(options) === "keep" && (recalibrateData !== undefined || recalibrateExamples !== undefined)) {
    throw new TypeError(
      "Cannot recalibrate as --statistics keep leaves the statistics as they are: got --recalibrate options, too",
    );
  }
}

function measureOptions(options: BarrierOptions) {
  const { points, refine, path, bootstrap, seed, recalibrateData, recalibrateExamples } = options;
  const recalibrates = recalibrateData !== undefined || recalibrateExamples !== undefined;
  return {
    points,
    refine: refine === true ? REFINED_PLACES : (refine ?? 0),
    path,
    bootstrap,
    seed,
    statistics: policyOf(options) ?? (recalibrates ? "recalibrate" : "keep"),
  };
}

/** The policy that was asked for, by either name. */
function policyOf({ statistics, batchNorm }: BarrierOptions): StatisticsPolicy | undefined {
  return statistics ?? batchNorm;
}

/** B as it is to be measured, with what is known of its alignment. */
async function alignB(
  architecture: Architecture,
  [a, b]: readonly [Checkpoint, Checkpoint],
  {
    options,
    matching,
    context,
  }: {
    readonly options: BarrierOptions;
    readonly matching: MatchOptions | undefined;
    readonly context: Context;
  },
): Promise<{ readonly network: Checkpoint; readonly summary?: AlignedNetwork["summary"] }> {
  if (matching !== undefined) {
    return alignNetwork(await createAligner(architecture, context), [a, b], matching, context);
  }
  if (options.alignment === undefined) return { network: b };
  const json = await readJson(options.alignment);
  const { spec } = (await createAligner(architecture, context)).symmetries;
  return { network: permute(decodeAlignment(spec, json), b, spec) };
}

interface Measured {
  readonly options: BarrierOptions;
  readonly context: Context;
  readonly summary: AlignedNetwork["summary"] | undefined;
}

async function writeReport(
  curves: readonly BarrierCurve[],
  {
    paths,
    inputs,
    options,
    context,
    summary,
  }: Measured & { readonly paths: readonly string[]; readonly inputs: readonly string[] },
): Promise<void> {
  if (options.report === undefined) return;
  const facts = [{ name: "Seed", value: String(options.seed) }];
  if (summary) {
    facts.push(
      { name: "Alignment", value: `by ${summary.method}` },
      { name: "Alignment objective", value: formatObjective(summary.objective) },
    );
  }
  const page = await renderBarrierPage({
    title: `From ${paths.map((path) => basename(path)).join(" to ")}`,
    curves,
    commands: [context.commandLine],
    facts,
    version: context.version,
  });
  await saveFile(options.report, page, inputs);
}

function describeOutcome(
  curves: readonly BarrierCurve[],
  results: readonly BarrierResult[],
  { options, context, summary }: Measured,
): Outcome {
  const [result, asTrained] = results.toReversed();
  const height = result?.barrier.loss.chord ?? 0;
  const limit = options.maxBarrier;
  const report = options.report === undefined ? "" : `\n\nWrote ${options.report}`;
  return {
    result: { ...result, ...(summary && { alignment: summary }), ...(asTrained && { asTrained }) },
    text: formatBarriers(curves, context.terminal) + report,
    failure:
      limit !== undefined && height > limit ? `the loss barrier is ${height}, more than ${limit}` : undefined,
  };
}
