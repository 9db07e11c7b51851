import { rm, stat } from "node:fs/promises";
import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import {
  CUMULATIVE_ORDERS,
  type CumulativeOrder,
  type LayerPattern,
  type LayersProgress,
  type LayersResult,
  MEASURE_LAYERS_DEFAULTS,
  measureLayers,
  PREDICT_BARRIERS_DEFAULTS,
} from "@isthmus/barrier";
import { InputError, saveFile, UsageError } from "@isthmus/core";
import { renderResultPage } from "@isthmus/report";
import { describePair } from "../format/describe-pair.ts";
import { formatJson } from "../format/format-json.ts";
import { formatLayers } from "../format/format-layers.ts";
import { formatNote, formatOutputs } from "../format/format-outputs.ts";
import { BETWEEN, formatStatistics } from "../format/format-statistics.ts";
import { type Pair, withPair } from "../open/open-pair.ts";
import { addPairOptions, type PairOptions } from "../options/pair-options.ts";
import { MOST, parseCount, parseGroups } from "../options/parse-values.ts";
import { assertPageName } from "../output/assert-output.ts";
import { withProvenance } from "../result/result-provenance.ts";
import { type Context, createVerb, formatExamples, type Outcome, type RunVerb } from "../verb.ts";

interface LayersVerbOptions extends PairOptions {
  readonly groups?: readonly LayerPattern[] | undefined;
  readonly order?: readonly CumulativeOrder[] | undefined;
  readonly points: number;
  readonly predict?: number | true | undefined;
  readonly robustness?: number | true | undefined;
  readonly output?: string | undefined;
  readonly resume?: true | undefined;
  readonly report?: string | undefined;
}

/** Number of random directions that `--robustness` takes if it names none, as published. */
const DIRECTIONS = 5;

/** Creates the command `isthmus layers`. */
export function layersVerb(run: RunVerb): CommandUnknownOpts {
  return addPairOptions(createLayersVerb())
    .addHelpText("after", EXAMPLES)
    .action((a, b, options) => run(options, (context) => layers([a, b], options, context)));
}

function createLayersVerb() {
  return createVerb("layers")
    .argument("<a>", "the checkpoint at t = 0")
    .argument("<b>", "the checkpoint at t = 1")
    .option(
      "--groups <list>",
      "layers to group, for example head=fc*+norm,conv*: names of layers or tensors, where * and ? are wildcards; every other layer is a group of its own",
      parseGroups,
    )
    .addOption(
      new Option("--order <names...>", "how groups are added up (default: from either end)").choices(
        CUMULATIVE_ORDERS,
      ),
    )
    .option(
      "--points <n>",
      "number of places on every path, both ends among them; an odd number",
      parseCount(3, MOST.places),
      MEASURE_LAYERS_DEFAULTS.points,
    )
    .option(
      "--predict [n]",
      `predict barriers from slopes and curvatures at both ends, on the first n examples (n: ${PREDICT_BARRIERS_DEFAULTS.examples})`,
      parseCount(1),
    )
    .option(
      "--robustness [n]",
      `compare with n random directions of the same length (n: ${DIRECTIONS})`,
      parseCount(1),
    )
    .option("-o, --output <file>", "write the result (.json), for isthmus merge --layers-from among others")
    .option("--resume", "go on from OUTPUT.state.json if an interrupted measurement left one")
    .option("--report <file>", "write a page with figures and all numbers (.html)");
}

const EXAMPLES = formatExamples(
  [
    "isthmus layers a.safetensors b.safetensors --graph model.onnx --data mnist:test@2000 --align --report layers.html",
    "which layers raise the loss between the networks, also as a page",
  ],
  [
    "isthmus layers a.pt b.pt --graph model.onnx --data mnist:test --order random middle-first --predict --robustness",
    "other orders, predictions from both ends, random directions",
  ],
  [
    "isthmus layers a.pt b.pt --graph cnn.onnx --data fashion-mnist:test --align --statistics recalibrate -o layers.json --resume",
    "with batch norms measured anew; start it again after an interruption and it goes on where it was",
  ],
  [
    "isthmus merge a.pt b.pt --align --graph cnn.onnx --layers-from layers.json --max-barrier 0.02 -o merged.safetensors",
    "then average the layers that cost little, and keep the others of A",
  ],
);

async function layers(
  paths: readonly [string, string],
  options: LayersVerbOptions,
  context: Context,
): Promise<Outcome> {
  const { output, report } = options;
  if (report !== undefined) assertPageName(report);
  const journal = output === undefined ? undefined : await nameJournal(output, options);
  const outputs = [output, report].filter((path) => path !== undefined);
  return withPair({ paths, options, outputs }, context, async (pair) => {
    const result = await measure(pair, { journal, options, context });
    if (output !== undefined)
      await saveFile(output, formatJson(await withProvenance(result, context.provenance)), pair.inputs);
    if (report !== undefined) {
      const page = await renderResultPage({
        result,
        ...describePair(paths, { ...options, ...pair }, context),
      });
      await saveFile(report, page, pair.inputs);
    }
    if (journal !== undefined) await rm(journal, { force: true });
    return {
      result: { ...result, ...(pair.summary && { alignment: pair.summary }), binding: pair.binding },
      text: [
        formatLayers(result, context.terminal),
        ...formatNote(formatStatistics(pair.graph, result, BETWEEN)),
        formatOutputs(outputs),
      ].join(""),
    };
  });
}

async function measure(
  { a, b, data, graph, engine, statistics, statisticsData }: Pair,
  {
    journal,
    options,
    context,
  }: {
    readonly journal: string | undefined;
    readonly options: LayersVerbOptions;
    readonly context: Context;
  },
): Promise<LayersResult> {
  const { groups, order, points, predict, robustness, seed } = options;
  const { signal, progress, terminal } = context;
  let done = 0;
  try {
    return await measureLayers({ graph, engine }, [a, b], data, {
      ...{ points, seed, statistics, statisticsData, signal },
      ...(groups === undefined ? {} : { groups }),
      ...(order === undefined ? {} : { orders: order }),
      predict: predict === true ? Math.min(PREDICT_BARRIERS_DEFAULTS.examples, data.size) : (predict ?? 0),
      directions: robustness === true ? DIRECTIONS : (robustness ?? 0),
      journalPath: journal,
      onProgress: (at) => {
        done = at.done;
        progress(PHASES[at.phase], at.done);
      },
    });
  } catch (error) {
    if (signal.aborted && done > 0 && journal !== undefined) {
      terminal.note(`isthmus layers: the finished part is in "${journal}": add --resume to go on`);
    }
    throw error;
  }
}

const PHASES: Readonly<Record<LayersProgress["phase"], string>> = {
  measuring: "Measuring layers",
  directions: "Moving in random directions",
  predicting: "Differentiating",
};

/**
 * Names the file that keeps the finished part of a measurement.
 * @throws UsageError if the output is not named `*.json`
 * @throws InputError if there is such a file and `--resume` is not given
 */
async function nameJournal(output: string, { resume }: LayersVerbOptions): Promise<string> {
  if (!output.endsWith(".json")) {
    throw new UsageError(`Cannot measure layers as -o must name a file ending in .json: it is "${output}"`);
  }
  const path = `${output.slice(0, -".json".length)}.state.json`;
  const exists = (await stat(path).catch(() => undefined)) !== undefined;
  if (!exists || resume) return path;
  throw new InputError(
    `Cannot measure layers with state "${path}" as it must not replace an earlier one: the file exists; add --resume to go on, or remove it to start anew`,
    { input: path },
  );
}
