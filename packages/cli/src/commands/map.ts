import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { MAP_ATTEMPT, MAP_FIELDS, type MapChoice, type MeasurePairs, mapNetworks } from "@isthmus/barrier";
import { at, type FieldsOf, InputError, resolveFields } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import { gatherFiles } from "@isthmus/tasks";
import { assertArchitecture, type DataContext, dataContext, fitToData } from "@isthmus/zoo";
import { describeFeeds, encodingOf } from "../format/describe-feeds.ts";
import { formatMap } from "../format/format-map.ts";
import { formatNote, formatOutputs } from "../format/format-outputs.ts";
import { formatStatistics, measuredOn } from "../format/format-statistics.ts";
import { addFieldOptions, readFields } from "../measurement/field-options.ts";
import { addBindingOptions, type BindingOptions, bindArchitecture } from "../open/bind-architecture.ts";
import { expandPaths } from "../open/expand-paths.ts";
import { openSharedArchitecture } from "../open/open-architecture.ts";
import { noteTwice, withCheckpoints } from "../open/open-checkpoints.ts";
import { addScalingOptions, type DataOptions, openUnscoredFor } from "../open/open-data.ts";
import { type MeasuredData, openMeasured } from "../open/open-measured.ts";
import { dataForms } from "../options/data-forms.ts";
import { addEngineOption, type EngineOptions } from "../options/engine-option.ts";
import { addStatisticsDataOptions, assertNotKept, type NormOptions } from "../options/norm-options.ts";
import { parseBytes } from "../options/parse-values.ts";
import { addQueueOptions, type QueueOptions } from "../options/queue-options.ts";
import { assertOutput, assertPageName, assertResultName } from "../output/assert-output.ts";
import { saveResult } from "../result/save-result.ts";
import { type Context, createVerb, formatExamples, type Outcome, type RunVerb } from "../verb.ts";
import { type QueueTasks, withQueue } from "../work/with-queue.ts";

const FIELDS: FieldsOf<MapChoice> = { ...MAP_FIELDS, memory: { ...MAP_FIELDS.memory, parse: parseBytes } };

interface MapVerbOptions
  extends DataOptions,
    Partial<NormOptions>,
    BindingOptions,
    EngineOptions,
    QueueOptions {
  readonly graph?: string | undefined;
  readonly star?: string | undefined;
  readonly journal?: string | undefined;
  readonly output?: string | undefined;
  readonly report?: string | undefined;
}

/** Options of the command with the policy for norms decided. */
type SubjectOptions = MapVerbOptions & Pick<NormOptions, "statistics">;

/** Creates the command `isthmus map`. */
export function mapVerb(run: RunVerb): CommandUnknownOpts {
  const command = createVerb("map")
    .argument("<nets...>", "two or more checkpoints of one architecture; * and ? are wildcards for files")
    .option(
      "--graph <file>",
      "their architecture, an .onnx file or the model.json of a LayersModel (default: from their config.json)",
    )
    .option("--star <file>", "a network to align and place with the others, that is no part of their mean")
    .requiredOption("--data <name>", dataForms());
  addFieldOptions(command, FIELDS);
  addStatisticsDataOptions(command);
  return addQueueOptions(addEngineOption(addBindingOptions(addScalingOptions(command))))
    .option("--journal <file>", "keep finished pairs in this file, and go on from it after an interruption")
    .option("-o, --output <file>", "write the result (.json), for isthmus report")
    .option("--report <file>", "write a page with maps and all numbers (.html)")
    .addHelpText("after", EXAMPLES)
    .addHelpText("after", NOTES)
    .action((paths, options) => {
      return run(options, (context) => {
        const chosen: MapChoice = readFields(MAP_ATTEMPT, command, FIELDS);
        return mapFiles(paths, { ...options, chosen }, context);
      });
    });
}

const EXAMPLES = formatExamples(
  [
    "isthmus map nets/*.safetensors --graph nets/0.onnx --data mnist:test@2000 -o map.json --report map.html",
    "all networks of a folder, as heat maps of barriers and as points of a plane",
  ],
  [
    "isthmus map nets/*.safetensors --star star.safetensors --graph nets/0.onnx --data mnist:test --journal pairs.json",
    "with the star that isthmus star found; start it again after an interruption and it goes on",
  ],
  [
    "isthmus map a.pt b.pt c.pt --graph cnn.onnx --data fashion-mnist:test@1000 --points 11 --many cycle",
    "barriers on a finer grid, aligned by the cycle-consistent search alone",
  ],
  [
    "isthmus map nets/*.safetensors --graph nets/0.onnx --data mnist:test -o map.json --queue /shared/queue --storage /shared",
    "pairs are measured by workers, started by: isthmus worker --queue /shared/queue --storage /shared",
  ],
);

const NOTES = `
With --queue, workers measure the pairs; the alignment itself runs on this machine.
`;

async function mapFiles(
  patterns: readonly string[],
  { chosen, ...named }: MapVerbOptions & { readonly chosen: MapChoice },
  context: Context,
): Promise<Outcome> {
  const resolved = resolveFields<MapChoice>(MAP_ATTEMPT, FIELDS, chosen);
  const { statistics } = resolved;
  const options = { ...named, statistics };
  assertNotKept(options);
  const { star, journal, output, report } = options;
  if (output !== undefined) assertResultName(output);
  if (report !== undefined) assertPageName(report);
  const paths = await expandPaths(patterns);
  assertSeveral(paths);
  noteTwice(paths, context.terminal);
  const all = star === undefined ? paths : [...paths, star];
  await assertArchitecture(MAP_ATTEMPT, all, options);
  const read = await openSharedArchitecture(all, options);
  const measured = await openMeasured(options, dataContext(read));
  const { data } = measured;
  const opened = fitToData(read, data);
  return withCheckpoints(all, async (checkpoints) => {
    const inputs = [
      ...checkpoints.flatMap(({ files }) => files),
      ...[options.graph, options.exportedFrom].filter((path) => path !== undefined),
    ];
    for (const path of [journal, output, report]) if (path !== undefined) await assertOutput(path, inputs);
    const {
      networks: bound,
      binding,
      ...architecture
    } = await bindArchitecture(opened, checkpoints, options, context);
    for (const line of describeFeeds("measure", architecture.graph, data, {
      ...options,
      ...encodingOf(read),
    }))
      context.terminal.note(line);
    const unscored = await nameUnscored(architecture.graph, options, dataContext(read));
    const { statisticsData } =
      unscored === options ? measured : await openMeasured(unscored, dataContext(read));
    const networks = bound.map(({ network }) => network);
    const work = { verb: "map", beside: journal ?? output ?? report ?? "map", context };
    const result = await withQueue(options, work, async (tasks) =>
      mapNetworks(architecture, networks.slice(0, paths.length), data, {
        ...resolved,
        statisticsData,
        star: star === undefined ? undefined : at(networks, paths.length, "star"),
        journalPath: journal,
        measurePairs:
          tasks && (await measureByQueue(tasks, unscored, dataContext(read), { data, statisticsData })),
        signal: context.signal,
        onProgress: ({ phase, done }) =>
          context.progress(phase === "aligning" ? "Aligning" : "Measuring pairs", done),
      }),
    );
    await saveResult(result, options, { inputs, context });
    const outputs = [options.output, options.report].filter((path) => path !== undefined);
    return {
      result: { ...result, binding, outputs },
      text: [
        formatMap(result, context.terminal),
        ...formatNote(formatStatistics(architecture.graph, { ...measuredOn(statisticsData), statistics })),
        formatOutputs(outputs),
      ].join(""),
    };
  });
}

/** Names in the options the training examples that statistics are measured on, if no examples are named. */
async function nameUnscored(
  graph: Graph,
  options: SubjectOptions,
  context: DataContext,
): Promise<SubjectOptions> {
  const { recalibrateData, recalibrateExamples, statistics } = options;
  if (recalibrateData !== undefined || recalibrateExamples !== undefined) return options;
  const training = await openUnscoredFor(graph, options, { context, statistics });
  return training === undefined ? options : { ...options, recalibrateData: training.name };
}

function assertSeveral(paths: readonly string[]): void {
  if (paths.length >= 2) return;
  const [only = "networks"] = paths;
  throw new InputError(`Cannot map networks as there must be at least two: got only "${only}"`, {
    input: only,
  });
}

/** Returns what measures pairs on the workers of a queue; a map without a queue does not load it. */
async function measureByQueue(
  tasks: QueueTasks,
  options: DataOptions,
  context: DataContext,
  measured: MeasuredData,
): Promise<MeasurePairs> {
  const { describePairsData } = await import("../map/pairs-data.ts");
  const { queuePairs } = await import("../map/queue-pairs.ts");
  const { describeGathered } = await import("../work/gather-inputs.ts");
  const files = gatherFiles({ isElsewhere: !tasks.executor.isShared });
  const described = await describePairsData(options, context, { opened: measured, files });
  const { size } = measured.data;
  return queuePairs(tasks, { ...described, size, files: await describeGathered(files, tasks.context) });
}
