import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Command, CommandUnknownOpts, OptionValues } from "@commander-js/extra-typings";
import {
  at,
  type Checkpoint,
  describeMaking,
  type FieldsOf,
  type ResolvedOf,
  resolveFields,
  saveCheckpoint,
  saveFile,
} from "@isthmus/core";
import { PAIR_IMAGES_FIELDS, PAIR_TASKS, type PairImagesOptions, pairImages } from "@isthmus/data";
import { comparePareto, PARETO_FIELDS, type ParetoChoice, splitHeads } from "@isthmus/ensemble";
import { type DataSet, encodeGraph, type Graph } from "@isthmus/graph";
import { NETWORK_FORMS, parseNetwork } from "@isthmus/zoo";
import { formatOutputs } from "../format/format-outputs.ts";
import { formatPareto } from "../format/format-pareto.ts";
import { addFieldOptions, readFields } from "../measurement/field-options.ts";
import { addScalingOptions, openExamples, type ScalingOptions } from "../open/open-data.ts";
import { addEngineOption, createEngine, type EngineOptions } from "../options/engine-option.ts";
import { HELP_GROUPS } from "../options/help-groups.ts";
import { assertOutput, assertPageName } from "../output/assert-output.ts";
import { saveResult } from "../result/save-result.ts";
import { addTrainingOptions } from "../training/add-training-options.ts";
import { openTrainingData } from "../training/open-training-data.ts";
import { nameState } from "../training/training-files.ts";
import { type TrainingFlags, trainingOptions } from "../training/training-options.ts";
import { withTrainingLock } from "../training/with-training-lock.ts";
import { type Context, createVerb, formatExamples, type Outcome, type RunVerb } from "../verb.ts";

interface ParetoVerbOptions extends TrainingFlags, EngineOptions, ScalingOptions {
  readonly net: string;
  readonly data: string;
  readonly testData: string;
  readonly output: string;
  readonly resume?: true | undefined;
  readonly report?: string | undefined;
}

const ATTEMPT = "compare fronts";

const { layout } = PAIR_IMAGES_FIELDS;
const FIELDS: FieldsOf<ParetoChoice & Pick<PairImagesOptions, "layout">> = { layout, ...PARETO_FIELDS };

/** Options of the command, with the ones of its fields. */
type Chosen = ParetoVerbOptions & ResolvedOf<ParetoChoice & Pick<PairImagesOptions, "layout">>;

/** Creates the command `isthmus pareto`. */
export function paretoVerb(run: RunVerb): CommandUnknownOpts {
  const command = withOutput(
    addEngineOption(addTrainingOptions(addScalingOptions(createParetoVerb()), 1, "sgd", "images")),
  ).addHelpText("after", EXAMPLES);
  return command.action((options) =>
    run(options, (context) => {
      const chosen = resolveFields(ATTEMPT, FIELDS, readFields(ATTEMPT, command, FIELDS));
      return pareto({ ...options, ...chosen }, context);
    }),
  );
}

function createParetoVerb() {
  const command = createVerb("pareto", HELP_GROUPS.done)
    .requiredOption(
      "--net <name>",
      `the network, which gets a head for each of two tasks: ${NETWORK_FORMS.join(", ")}`,
    )
    .requiredOption(
      "--data <name>",
      "images to train on, of which two are put into one, such as mnist:train@5000",
    )
    .requiredOption("--test-data <name>", "images to measure on, put into one alike");
  addFieldOptions(command, FIELDS);
  return command;
}

function withOutput<A extends unknown[], O extends OptionValues>(command: Command<A, O>) {
  return command
    .optionsGroup(HELP_GROUPS.output)
    .requiredOption(
      "-o, --output <folder>",
      "task_1.safetensors, task_2.safetensors, graph.onnx and pareto.json",
    )
    .option("--resume", "go on from what an interrupted training left in the folder")
    .option("--report <file>", "write a page with figures and all numbers (.html)");
}

const EXAMPLES = formatExamples([
  "isthmus pareto --net mlp:64x2 --data mnist:train@5000 --test-data mnist:test@2000 --epochs 10 --scalarised 5 -o front --report front.html",
  "two digits on one image: the front of networks between two, beside five networks trained one by one",
]);

async function pareto(options: Chosen, context: Context): Promise<Outcome> {
  const { report, output: folder } = options;
  if (report !== undefined) {
    assertPageName(report);
    await assertOutput(report, []);
  }
  const files = ["task_1.safetensors", "task_2.safetensors", "graph.onnx", "pareto.json"].map((name) =>
    join(folder, name),
  );
  for (const file of files) await assertOutput(file, []);
  const state = nameState(join(folder, "pareto.safetensors"));
  return withTrainingLock({ state, output: folder }, () => runPareto(options, { state, files }, context));
}

async function runPareto(
  options: Chosen,
  { state, files }: { readonly state: string; readonly files: readonly string[] },
  context: Context,
): Promise<Outcome> {
  const { layout, seed, net, output: folder, report, resume = false } = options;
  const pair = (data: DataSet) => pairImages(data, { layout, seed });
  const { data } = await openTrainingData({ ...options, evalData: "none" });
  const training = pair(data);
  const test = pair(await openExamples(options.testData, options, {}));
  const { exampleShape, classes } = training;
  const single = parseNetwork(net, { exampleShape, classes: 2 * classes });
  const engine = await createEngine(options.engine);
  const graph = await splitHeads({ graph: single.graph, engine }, 2);
  const { loss: _, ...trained } = trainingOptions(options, { graph: single.graph, data: training });
  const starts = [0, 1].map((task) => single.initialize(seed + task));
  const { concentration, points, scalarised, scalarisedEpochs } = options;
  const { networks, result } = await comparePareto(
    { graph, engine },
    starts,
    { training, test },
    {
      ...{ ...trained, tasks: PAIR_TASKS, concentration, points, scalarised, scalarisedEpochs },
      ...{ statePath: state, resume },
      signal: context.signal,
      onProgress: ({ phase, done }) => context.progress(PHASES[phase], done),
    },
  );
  await saveNetworks(networks, { graph, files, options }, context);
  await saveResult(result, { output: join(folder, "pareto.json"), report }, { inputs: [], context });
  await rm(state, { force: true });
  const outputs = [...files, ...(report === undefined ? [] : [report])];
  return { result: { ...result, outputs }, text: formatPareto(result) + formatOutputs(outputs) };
}

const PHASES = {
  manifold: "Training both tasks",
  scalarised: "Training weighted sums",
  measuring: "Measuring the front",
} as const;

async function saveNetworks(
  networks: readonly Checkpoint[],
  {
    graph,
    files,
    options,
  }: { readonly graph: Graph; readonly files: readonly string[]; readonly options: Chosen },
  { version, signal }: Context,
): Promise<void> {
  const { seed, data, net, layout } = options;
  const metadata = describeMaking([], { verb: "pareto", version, network: net, data, layout, seed });
  for (const [i, network] of networks.entries())
    await saveCheckpoint(network, at(files, i, "file"), { metadata, overwrite: true, signal });
  await saveFile(at(files, networks.length, "file"), encodeGraph(graph), []);
}
