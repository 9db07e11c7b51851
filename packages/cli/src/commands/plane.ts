import { basename, extname } from "node:path";
import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { MEASURE_PLANE_DEFAULTS, measurePlane, type PlaneSubject } from "@isthmus/barrier";
import { saveFile } from "@isthmus/core";
import { DATA_SET_FORMS } from "@isthmus/data";
import { limitExamples } from "@isthmus/graph";
import { CURVE_KINDS, type CurveKind } from "@isthmus/interpolation";
import { renderResultPage, titleOfResult } from "@isthmus/report";
import { STATISTICS_EXAMPLES } from "@isthmus/statistics";
import { assertArchitecture, dataContext, fitToData } from "@isthmus/zoo";
import { describeFeeds } from "../format/describe-feeds.ts";
import { formatNote, formatOutputs } from "../format/format-outputs.ts";
import { formatPlane } from "../format/format-plane.ts";
import { formatStatistics, measuredOn } from "../format/format-statistics.ts";
import { addBindingOptions, type BindingOptions, bindArchitecture } from "../open/bind-architecture.ts";
import { openSharedArchitecture } from "../open/open-architecture.ts";
import { withCheckpoints } from "../open/open-checkpoints.ts";
import { addScalingOptions, type DataOptions, openData } from "../open/open-data.ts";
import { type EngineOptions, engineOption } from "../options/engine-option.ts";
import { addNormOptions, assertNotKept, type NormOptions } from "../options/norm-options.ts";
import { MOST, parseCount, parseNumber } from "../options/parse-values.ts";
import { assertOutput, assertPageName } from "../output/assert-output.ts";
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

/** The verb `plane`. */
export function planeVerb(run: RunVerb): CommandUnknownOpts {
  return withMeasurement(createPlaneVerb())
    .addHelpText("after", EXAMPLES)
    .action((a, b, c, options) => run(options, (context) => plane([a, b, c], options, context)));
}

function createPlaneVerb() {
  return createVerb("plane")
    .argument("<a>", "the checkpoint at the origin")
    .argument("<b>", "the checkpoint that says which way is up, such as a curve's bend")
    .argument("<c>", "the checkpoint on the x axis")
    .option(
      "--graph <file>",
      "their architecture, an .onnx file or the model.json of a LayersModel (default: of their config.json)",
    )
    .option(
      "--place <file>",
      "another checkpoint to show where it is nearest to the plane; may be repeated",
      collect,
    )
    .addOption(
      new Option("--curve <kind>", "draw the curve from A to C that has B as its bend").choices(CURVE_KINDS),
    )
    .option(
      "--points <n>",
      "columns of the grid, and rows",
      parseCount(2, MOST.columns),
      MEASURE_PLANE_DEFAULTS.points,
    )
    .option(
      "--margin <share>",
      "space around the networks, as a share of what they take up",
      parseNumber,
      MEASURE_PLANE_DEFAULTS.margin,
    );
}

function withMeasurement(command: ReturnType<typeof createPlaneVerb>) {
  const measured = command.requiredOption(
    "--data <name>",
    `${DATA_SET_FORMS.join(", ")}; then :test or :train, then @N for the first N`,
  );
  return addBindingOptions(addScalingOptions(addNormOptions(measured, "those of --data")))
    .addOption(engineOption())
    .option("--journal <file>", "keep finished rows in this file, and go on from it after an interruption")
    .option("--report <file>", "write a page with the planes of loss and error and all numbers (.html)");
}

const collect = (path: string, before: readonly string[] | undefined) => [...(before ?? []), path];

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
    "a coarse look, and where the average of the three is",
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
  const { data, statisticsData } = await openData(options, dataContext(read));
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
    for (const line of describeFeeds("measure", architecture.graph, data)) context.terminal.note(line);
    const name = namesOf(all);
    const subjects = networks.map(({ network }, k): PlaneSubject => ({ label: name(k), network }));
    const models = subjects.slice(0, 3) as [PlaneSubject, PlaneSubject, PlaneSubject];
    const placed = subjects.slice(models.length);
    const seen = statisticsData ?? limitExamples("measure statistics", data, STATISTICS_EXAMPLES);
    const result = await measurePlane(architecture, models, data, {
      placed,
      ...{ points, margin, statistics, statisticsData: seen, curve, journalPath: journal },
      signal: context.signal,
      onProgress: ({ done, total }) => context.progress("Measuring the plane", done / total),
    });
    if (report !== undefined) {
      const title = titleOfResult(result);
      const { commandLine, version } = context;
      await saveFile(
        report,
        await renderResultPage({ title, result, commands: [commandLine], version }),
        inputs,
      );
    }
    return {
      result: { ...result, binding },
      text: [
        formatPlane(result, context.terminal),
        ...formatNote(formatStatistics(architecture.graph, { ...measuredOn(seen), statistics })),
        formatOutputs(report === undefined ? [] : [report]),
      ].join(""),
    };
  });
}

/** Names of files without folders and endings, or whole paths where these do not tell them apart. */
function namesOf(paths: readonly string[]): (index: number) => string {
  const names = paths.map((path) => basename(path, extname(path)));
  const labels = new Set(names).size === names.length ? names : paths;
  return (index) => labels[index] ?? "";
}
