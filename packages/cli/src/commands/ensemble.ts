import {
  type Command,
  type CommandUnknownOpts,
  Option,
  type OptionValues,
} from "@commander-js/extra-typings";
import { UsageError } from "@isthmus/core";
import { sharedExamples } from "@isthmus/data";
import { COMPARE_ENSEMBLES_DEFAULTS, compareEnsembles } from "@isthmus/ensemble";
import { assertDataFits, type DataSet } from "@isthmus/graph";
import { FIND_STAR_DEFAULTS, RAY_DISTRIBUTIONS, type RayDistribution } from "@isthmus/star-domain";
import { assertArchitecture, dataContext, fitToData } from "@isthmus/zoo";
import { describeFeeds, encodingOf } from "../format/describe-feeds.ts";
import { formatEnsemble } from "../format/format-ensemble.ts";
import { formatOutputs } from "../format/format-outputs.ts";
import { addBindingOptions, type BindingOptions, bindArchitecture } from "../open/bind-architecture.ts";
import { expandPaths } from "../open/expand-paths.ts";
import { openSharedArchitecture } from "../open/open-architecture.ts";
import { noteTwice, withCheckpoints } from "../open/open-checkpoints.ts";
import { addScalingOptions, openExamples, openScaled, type ScalingOptions } from "../open/open-data.ts";
import { dataForms } from "../options/data-forms.ts";
import { addEngineOption, type EngineOptions } from "../options/engine-option.ts";
import { collect, parseCount, parseNumber, parseSeed } from "../options/parse-values.ts";
import { assertOutput, assertPageName } from "../output/assert-output.ts";
import { saveResult } from "../result/save-result.ts";
import { openSimplex, openStar } from "../star/open-drawn-networks.ts";
import { type Context, createVerb, formatExamples, type Outcome, type RunVerb } from "../verb.ts";

interface EnsembleVerbOptions extends EngineOptions, BindingOptions, ScalingOptions {
  readonly graph?: string | undefined;
  readonly data: string;
  readonly selectData?: string | undefined;
  readonly members?: number | undefined;
  readonly diversity: number;
  readonly oodData?: readonly string[] | undefined;
  readonly statisticsData?: string | undefined;
  readonly star?: string | undefined;
  readonly rays: RayDistribution;
  readonly rayMembers?: number | undefined;
  readonly align: boolean;
  readonly simplexMembers?: number | undefined;
  readonly seed: number;
  readonly journal?: string | undefined;
  readonly output?: string | undefined;
  readonly report?: string | undefined;
}

const DEFAULTS = COMPARE_ENSEMBLES_DEFAULTS;

/** Creates the command `isthmus ensemble`. */
export function ensembleVerb(run: RunVerb): CommandUnknownOpts {
  return withStar(addBindingOptions(addScalingOptions(addEngineOption(createEnsembleVerb()))))
    .addHelpText("after", EXAMPLES)
    .action((paths, options) => run(options, (context) => ensemble(paths, options, context)));
}

function createEnsembleVerb() {
  return createVerb("ensemble")
    .argument("<networks...>", "networks of one architecture; * and ? are wildcards for files")
    .option(
      "--graph <file>",
      "their architecture, .onnx or model.json of a LayersModel (default: from their config.json)",
    )
    .requiredOption("--data <name>", `labelled examples to predict; ${dataForms()}`)
    .option(
      "--select-data <name>",
      "examples that the greedy ensemble is chosen on, neither trained on nor predicted (default: none, no greedy ensemble)",
    )
    .option(
      "--members <n>",
      "the most networks of the greedy ensemble (default: half of them)",
      parseCount(1),
    )
    .option(
      "--diversity <x>",
      "weight of diversity in the choice of the greedy ensemble, against the likeness of a network to the ones before",
      parseNumber,
      DEFAULTS.diversity,
    )
    .addOption(
      new Option(
        "--ood-data <name>",
        "examples of other data, scaled as --data, on which predictions should be unsure; may be repeated",
      ).argParser(collect),
    )
    .option(
      "--statistics-data <name>",
      "examples on which batch norms of the mean of weights are measured (default: the first 2,500 of --data)",
    )
    .option(
      "--journal <folder>",
      "keep the predictions of each network in this folder, and go on from it after an interruption, or with more networks",
    )
    .option("-o, --output <file>", "write the result (.json)")
    .option("--report <file>", "write a page with figures and all numbers (.html)");
}

function withStar<A extends unknown[], O extends OptionValues>(command: Command<A, O>) {
  return command
    .optionsGroup("With a star or the simplex of the networks:")
    .option("--star <file>", "compare a star network, too, and networks on its rays to the networks")
    .addOption(
      new Option(
        "--rays <distribution>",
        "how places on rays are drawn: evenly, by Beta(2, 2), or the middle",
      )
        .choices(RAY_DISTRIBUTIONS)
        .default(FIND_STAR_DEFAULTS.rays),
    )
    .option("--ray-members <n>", "networks on rays (default: as many as networks)", parseCount(1))
    .option(
      "--simplex-members <n>",
      "compare networks drawn evenly from the simplex of the networks, too (default: none)",
      parseCount(1),
    )
    .option("--no-align", "take the networks as they are, without aligning them to the star")
    .option("--seed <n>", "seed of rays, alignments and places on the simplex", parseSeed, 0);
}

const EXAMPLES = formatExamples(
  [
    "isthmus ensemble 'nets/*.safetensors' --graph nets/0.onnx --data mnist:test --ood-data fashion-mnist:test --report ensemble.html",
    "single networks, the mean of their weights and the mean of their predictions, also as a page",
  ],
  [
    "isthmus ensemble 'nets/*.safetensors' --graph nets/0.onnx --data idx:images.idx,labels.idx:test --select-data mnist:test@1000 --members 5",
    "an ensemble of at most five, chosen greedily, too",
  ],
  [
    "isthmus ensemble 'nets/*.safetensors' --graph nets/0.onnx --data mnist:test --star star.safetensors",
    "a star and the networks on its rays, too",
  ],
);

async function ensemble(
  patterns: readonly string[],
  options: EnsembleVerbOptions,
  context: Context,
): Promise<Outcome> {
  const { output, report, star } = options;
  if (report !== undefined) assertPageName(report);
  assertSelectedApart(options);
  const paths = await expandPaths(patterns);
  noteTwice(paths, context.terminal);
  const all = star === undefined ? paths : [...paths, star];
  return withCheckpoints(all, async (checkpoints) => {
    const named = [options.graph, options.exportedFrom].filter((file) => file !== undefined);
    const inputs = [...checkpoints.flatMap(({ files }) => files), ...named];
    const outputs = [output, report].filter((file) => file !== undefined);
    for (const file of outputs) await assertOutput(file, inputs);
    await assertArchitecture("compare ensembles", all, options);
    const read = await openSharedArchitecture(all, options);
    const data = await openEnsembleData(options, dataContext(read));
    const bound = await bindArchitecture(fitToData(read, data.data), checkpoints, options, context);
    const { graph, engine, binding } = bound;
    for (const line of describeFeeds("compare ensembles", graph, data.data, {
      ...options,
      ...encodingOf(bound),
    }))
      context.terminal.note(line);
    for (const set of [...data.others, ...(data.selectionData ? [data.selectionData] : [])])
      assertDataFits("compare ensembles", graph, set, 1);
    const networks = bound.networks.slice(0, paths.length).map(({ network }) => network);
    const drawing = { ...options, data: data.statisticsData ?? data.data, count: paths.length };
    const further = [
      ...(star === undefined ? [] : await openStar(bound, drawing, context)),
      ...openSimplex({ graph, engine, networks }, drawing, context),
    ];
    const { signal, progress } = context;
    const result = await compareEnsembles({ graph, engine }, networks, data.data, {
      ...{ selectionData: data.selectionData, others: data.others, statisticsData: data.statisticsData },
      ...{ members: options.members, diversity: options.diversity, further, signal },
      predictionsPath: options.journal,
      onProgress: ({ done }) => progress("Predicting", done),
    });
    await saveResult(result, { output, report }, { inputs, context });
    return { result: { ...result, binding }, text: formatEnsemble(result) + formatOutputs(outputs) };
  });
}

/** Checks by their names that no example is both chosen by and predicted, which would flatter the choice. */
function assertSelectedApart({ data, selectData }: EnsembleVerbOptions): void {
  const shared = selectData === undefined ? undefined : sharedExamples(data, selectData);
  if (shared === undefined) return;
  const { first, last } = shared;
  const range = last === undefined ? `from ${first} on` : `${first} to ${last}`;
  throw new UsageError(
    `Cannot compare ensembles on --data "${data}" as the greedy ensemble must be chosen on other examples: --select-data "${selectData}" shares examples ${range}; name ranges apart, such as mnist:test@1000 and mnist:test@1001..2000, or another split`,
  );
}

/** The examples of a comparison, all scaled alike. */
interface EnsembleData {
  readonly data: DataSet;
  readonly selectionData: DataSet | undefined;
  readonly others: readonly DataSet[];
  readonly statisticsData: DataSet | undefined;
}

async function openEnsembleData(
  options: EnsembleVerbOptions,
  context: ReturnType<typeof dataContext>,
): Promise<EnsembleData> {
  const { selectData, oodData = [], statisticsData } = options;
  const data = await openExamples(options.data, options, context);
  const open = async (name: string | undefined) =>
    name === undefined ? undefined : openScaled(name, data.scaling, context);
  const others: DataSet[] = [];
  for (const name of oodData) others.push(await openScaled(name, data.scaling, context));
  return { data, others, selectionData: await open(selectData), statisticsData: await open(statisticsData) };
}
