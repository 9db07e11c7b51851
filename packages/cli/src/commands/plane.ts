import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import {
  measurePlane,
  PLANE_ATTEMPT,
  PLANE_FIELDS,
  type PlaneChoice,
  type PlaneSubject,
} from "@isthmus/barrier";
import { at, resolveFields } from "@isthmus/core";
import { limitExamples } from "@isthmus/graph";
import { STATISTICS_EXAMPLES } from "@isthmus/statistics";
import { assertArchitecture, dataContext, fitToData } from "@isthmus/zoo";
import { describeFeeds, encodingOf } from "../format/describe-feeds.ts";
import { formatNote, formatOutputs } from "../format/format-outputs.ts";
import { formatPlane } from "../format/format-plane.ts";
import { formatStatistics, measuredOn } from "../format/format-statistics.ts";
import { labelsOf } from "../format/labels-of.ts";
import { addFieldOptions, readFields } from "../measurement/field-options.ts";
import { addBindingOptions, type BindingOptions, bindArchitecture } from "../open/bind-architecture.ts";
import { openSharedArchitecture } from "../open/open-architecture.ts";
import { withCheckpoints } from "../open/open-checkpoints.ts";
import { addScalingOptions, type DataOptions, openData, openUnscoredFor } from "../open/open-data.ts";
import { dataForms } from "../options/data-forms.ts";
import { addEngineOption, type EngineOptions } from "../options/engine-option.ts";
import { addStatisticsDataOptions, assertNotKept, type NormOptions } from "../options/norm-options.ts";
import { collect } from "../options/parse-values.ts";
import { assertOutput, assertPageName, assertResultName } from "../output/assert-output.ts";
import { saveResult } from "../result/save-result.ts";
import { type Context, createVerb, formatExamples, type Outcome, type RunVerb } from "../verb.ts";

interface PlaneVerbOptions extends DataOptions, Partial<NormOptions>, BindingOptions, EngineOptions {
  readonly graph?: string | undefined;
  readonly place?: readonly string[] | undefined;
  readonly journal?: string | undefined;
  readonly output?: string | undefined;
  readonly report?: string | undefined;
}

/** Creates the command `isthmus plane`. */
export function planeVerb(run: RunVerb): CommandUnknownOpts {
  const command = createVerb("plane")
    .argument("<a>", "the checkpoint at the origin")
    .argument("<b>", "the checkpoint above the x axis, such as the bend of a curve")
    .argument("<c>", "the checkpoint on the x axis")
    .option(
      "--graph <file>",
      "their architecture, an .onnx file or the model.json of a LayersModel (default: from their config.json)",
    )
    .option(
      "--place <file>",
      "another checkpoint, shown at the nearest place on the plane; may be repeated",
      collect,
    )
    .requiredOption("--data <name>", dataForms());
  addFieldOptions(command, PLANE_FIELDS);
  addStatisticsDataOptions(command);
  return addEngineOption(addBindingOptions(addScalingOptions(command)))
    .option("--journal <file>", "keep finished rows in this file, and go on from it after an interruption")
    .option("-o, --output <file>", "write the result (.json)")
    .option("--report <file>", "write a page with the planes of loss and error and all numbers (.html)")
    .addHelpText("after", EXAMPLES)
    .action((a, b, c, options) => {
      return run(options, (context) => {
        const chosen: PlaneChoice = readFields(PLANE_ATTEMPT, command, PLANE_FIELDS);
        return plane([a, b, c], { ...options, chosen }, context);
      });
    });
}

const EXAMPLES = formatExamples(
  [
    "isthmus plane a.safetensors bend.safetensors b.safetensors --graph model.onnx --data mnist:test@2000 --curve bezier",
    "the plane of a curve that isthmus curve trained",
  ],
  [
    "isthmus plane a.pt b.pt c.pt --graph cnn.onnx --data fashion-mnist:test --recalibrate-data fashion-mnist:train@2500 --journal rows.json",
    "three networks with batch norms; start it again after an interruption and it goes on",
  ],
  [
    "isthmus plane a.pt b.pt c.pt --graph model.onnx --data mnist:test@1000 --points 11 --place mean.safetensors",
    "a coarse plane, and the place of the average of the three",
  ],
);

async function plane(
  paths: readonly [string, string, string],
  { chosen, ...options }: PlaneVerbOptions & { readonly chosen: PlaneChoice },
  context: Context,
): Promise<Outcome> {
  const resolved = resolveFields<PlaneChoice>(PLANE_ATTEMPT, PLANE_FIELDS, chosen);
  const { statistics } = resolved;
  assertNotKept({ ...options, statistics });
  const { journal, output, report, place = [] } = options;
  if (output !== undefined) assertResultName(output);
  if (report !== undefined) assertPageName(report);
  const outputs = [output, report].filter((file) => file !== undefined);
  const all: readonly [string, string, string, ...string[]] = [...paths, ...place];
  await assertArchitecture(PLANE_ATTEMPT, all, options);
  const read = await openSharedArchitecture(all, options);
  const { data, statisticsData: named } = await openData(options, dataContext(read));
  const opened = fitToData(read, data);
  return withCheckpoints(all, async (checkpoints) => {
    const inputs = [
      ...checkpoints.flatMap(({ files }) => files),
      ...[options.graph, options.exportedFrom].filter((path) => path !== undefined),
    ];
    for (const path of [journal, ...outputs]) if (path !== undefined) await assertOutput(path, inputs);
    const { networks, binding, ...architecture } = await bindArchitecture(
      opened,
      checkpoints,
      options,
      context,
    );
    for (const line of describeFeeds("measure", architecture.graph, data, {
      ...options,
      ...encodingOf(read),
    }))
      context.terminal.note(line);
    const labels = labelsOf(all);
    const subjects = networks.map(
      ({ network }, k): PlaneSubject => ({ label: at(labels, k, "label"), network }),
    );
    const models = subjects.slice(0, 3) as [PlaneSubject, PlaneSubject, PlaneSubject];
    const placed = subjects.slice(models.length);
    const feeds = { context: dataContext(read), statistics };
    const statisticsExamples =
      named ??
      (await openUnscoredFor(architecture.graph, options, feeds)) ??
      limitExamples("measure statistics", data, STATISTICS_EXAMPLES);
    const result = await measurePlane(architecture, models, data, {
      ...resolved,
      placed,
      statisticsData: statisticsExamples,
      journalPath: journal,
      signal: context.signal,
      onProgress: ({ done }) => context.progress("Measuring the plane", done),
    });
    await saveResult(result, { output, report }, { inputs, context });
    return {
      result: { ...result, binding },
      text: [
        formatPlane(result, context.terminal),
        ...formatNote(
          formatStatistics(architecture.graph, { ...measuredOn(statisticsExamples), statistics }),
        ),
        formatOutputs(outputs),
      ].join(""),
    };
  });
}
