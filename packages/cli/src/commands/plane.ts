import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { MEASURE_PLANE_DEFAULTS, measurePlane, type PlaneSubject } from "@isthmus/barrier";
import { at } from "@isthmus/core";
import { limitExamples } from "@isthmus/graph";
import { CURVE_KINDS, type CurveKind } from "@isthmus/interpolation";
import { STATISTICS_EXAMPLES } from "@isthmus/statistics";
import { assertArchitecture, dataContext, fitToData } from "@isthmus/zoo";
import { describeFeeds, encodingOf } from "../format/describe-feeds.ts";
import { formatNote, formatOutputs } from "../format/format-outputs.ts";
import { formatPlane } from "../format/format-plane.ts";
import { formatStatistics, measuredOn } from "../format/format-statistics.ts";
import { labelsOf } from "../format/labels-of.ts";
import { addBindingOptions, type BindingOptions, bindArchitecture } from "../open/bind-architecture.ts";
import { openSharedArchitecture } from "../open/open-architecture.ts";
import { withCheckpoints } from "../open/open-checkpoints.ts";
import { addScalingOptions, type DataOptions, openData, openUnscoredFor } from "../open/open-data.ts";
import { dataForms } from "../options/data-forms.ts";
import { addEngineOption, type EngineOptions } from "../options/engine-option.ts";
import { addNormOptions, assertNotKept, type NormOptions, UNSCORED } from "../options/norm-options.ts";
import { collect, MOST, parseCount, parseNumber } from "../options/parse-values.ts";
import { assertOutput, assertPageName } from "../output/assert-output.ts";
import { saveResult } from "../result/save-result.ts";
import { type Context, createVerb, formatExamples, type Outcome, type RunVerb } from "../verb.ts";

interface PlaneVerbOptions extends DataOptions, NormOptions, BindingOptions, EngineOptions {
  readonly graph?: string | undefined;
  readonly points: number;
  readonly margin: number;
  readonly place?: readonly string[] | undefined;
  readonly curve?: CurveKind | undefined;
  readonly journal?: string | undefined;
  readonly report?: string | undefined;
}

/** Creates the command `isthmus plane`. */
export function planeVerb(run: RunVerb): CommandUnknownOpts {
  return withMeasurement(createPlaneVerb())
    .addHelpText("after", EXAMPLES)
    .action((a, b, c, options) => run(options, (context) => plane([a, b, c], options, context)));
}

function createPlaneVerb() {
  return createVerb("plane")
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
    .addOption(
      new Option("--curve <kind>", "draw the curve from A to C that has B as its bend").choices(CURVE_KINDS),
    )
    .option(
      "--points <n>",
      "number of columns of the grid, and of rows",
      parseCount(2, MOST.columns),
      MEASURE_PLANE_DEFAULTS.points,
    )
    .option(
      "--margin <share>",
      "space around the networks, as a share of the area that they take up",
      parseNumber,
      MEASURE_PLANE_DEFAULTS.margin,
    );
}

function withMeasurement(command: ReturnType<typeof createPlaneVerb>) {
  const measured = command.requiredOption("--data <name>", dataForms());
  return addEngineOption(addBindingOptions(addScalingOptions(addNormOptions(measured, UNSCORED))))
    .option("--journal <file>", "keep finished rows in this file, and go on from it after an interruption")
    .option("--report <file>", "write a page with the planes of loss and error and all numbers (.html)");
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
  options: PlaneVerbOptions,
  context: Context,
): Promise<Outcome> {
  assertNotKept(options);
  const { journal, report } = options;
  if (report !== undefined) assertPageName(report);
  const { points, margin, statistics, curve, place = [] } = options;
  const all: readonly [string, string, string, ...string[]] = [...paths, ...place];
  await assertArchitecture("measure a plane", all, options);
  const read = await openSharedArchitecture(all, options);
  const { data, statisticsData: named } = await openData(options, dataContext(read));
  const opened = fitToData(read, data);
  return withCheckpoints(all, async (checkpoints) => {
    const inputs = [
      ...checkpoints.flatMap(({ files }) => files),
      ...[options.graph, options.exportedFrom].filter((path) => path !== undefined),
    ];
    for (const path of [journal, report]) if (path !== undefined) await assertOutput(path, inputs);
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
      placed,
      ...{ points, margin, statistics, statisticsData: statisticsExamples, curve, journalPath: journal },
      signal: context.signal,
      onProgress: ({ done }) => context.progress("Measuring the plane", done),
    });
    await saveResult(result, { report }, { inputs, context });
    return {
      result: { ...result, binding },
      text: [
        formatPlane(result, context.terminal),
        ...formatNote(
          formatStatistics(architecture.graph, { ...measuredOn(statisticsExamples), statistics }),
        ),
        formatOutputs(report === undefined ? [] : [report]),
      ].join(""),
    };
  });
}
