import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import type { PlaneSubject } from "@isthmus/barrier";
import { at, resolveFields } from "@isthmus/core";
import { LANDSCAPE_FIELDS, type LandscapeChoice, measureLandscape } from "@isthmus/landscape";
import { assertArchitecture, dataContext, fitToData } from "@isthmus/zoo";
import { describeFeeds, encodingOf } from "../format/describe-feeds.ts";
import { formatOutputs } from "../format/format-outputs.ts";
import { formatResult } from "../format/format-result.ts";
import { labelsOf } from "../format/labels-of.ts";
import { addFieldOptions, readFields } from "../measurement/field-options.ts";
import { addBindingOptions, type BindingOptions, bindArchitecture } from "../open/bind-architecture.ts";
import { chooseDirections } from "../open/choose-directions.ts";
import { openSharedArchitecture } from "../open/open-architecture.ts";
import { withCheckpoints } from "../open/open-checkpoints.ts";
import { addScalingOptions, type DataOptions, openData, openUnscoredFor } from "../open/open-data.ts";
import { dataForms } from "../options/data-forms.ts";
import { addEngineOption, type EngineOptions } from "../options/engine-option.ts";
import { addStatisticsDataOptions, assertNotKept, UNSCORED } from "../options/norm-options.ts";
import { assertOutput, assertPageName } from "../output/assert-output.ts";
import { saveResult } from "../result/save-result.ts";
import { type Context, createVerb, formatExamples, type Outcome, type RunVerb } from "../verb.ts";

interface LandscapeVerbOptions extends DataOptions, BindingOptions, EngineOptions {
  readonly graph?: string | undefined;
  readonly directions?: readonly string[] | undefined;
  readonly snapshots?: readonly string[] | undefined;
  readonly from?: string | undefined;
  readonly journal?: string | undefined;
  readonly output?: string | undefined;
  readonly report?: string | undefined;
}

/** Fields of the options; directions may also be checkpoints, which the command line reads by itself. */
const { directions: _, ...FIELDS } = LANDSCAPE_FIELDS;

/** Creates the command `isthmus landscape`. */
export function landscapeVerb(run: RunVerb): CommandUnknownOpts {
  const command: CommandUnknownOpts = createVerb("landscape");
  const heading = command.optionsGroup();
  command
    .argument("<network>", "the checkpoint: a file, or a folder")
    .option(
      "--graph <file>",
      "its architecture, .onnx or model.json of a LayersModel (default: from its config.json)",
    )
    .requiredOption("--data <name>", dataForms())
    .option(
      "--directions <kind...>",
      "random, eigenvectors of the Hessian, trajectory, or checkpoints to go to (default: random)",
    )
    .option("--snapshots <files...>", "a trajectory before the network, in its order; a folder for all in it")
    .option(
      "--from <init>",
      "the line from this initialization to the network, and whether the loss only falls",
    );
  addFieldOptions(command, FIELDS);
  addStatisticsDataOptions(command, UNSCORED);
  addEngineOption(addBindingOptions(addScalingOptions(command)));
  return command
    .optionsGroup(heading)
    .option("--journal <file>", "keep finished rows in this file, and go on from it after an interruption")
    .option("-o, --output <file>", "write the result (.json)")
    .option("--report <file>", "write a page with figures and all numbers (.html)")
    .addHelpText("after", EXAMPLES)
    .action(() =>
      run(command.opts(), (context) => {
        const chosen: LandscapeChoice = readFields(ATTEMPT, command, FIELDS);
        return landscape(at(command.args, 0, "path"), { ...optionsOf(command), chosen }, context);
      }),
    );
}

/** Returns the options of the command. Commander cannot know the types of options from tables. */
const optionsOf = (command: CommandUnknownOpts): LandscapeVerbOptions =>
  command.opts() as unknown as LandscapeVerbOptions;

const ATTEMPT = "measure a landscape";

const EXAMPLES = formatExamples(
  [
    "isthmus landscape a.safetensors --graph model.onnx --data mnist:test@1000 --report landscape.html",
    "a plane along two random directions of the filters' sizes",
  ],
  [
    "isthmus landscape a.pt --graph model.onnx --data mnist:test --directions eigenvectors --dimensions 1 --range -2:2",
    "a line along the direction in which the loss curves most",
  ],
  [
    "isthmus landscape a.pt --graph model.onnx --data mnist:test@1000 --directions trajectory --snapshots run/ --journal rows.json",
    "the plane in which a training run mostly went, with its way",
  ],
  [
    "isthmus landscape a.pt --graph model.onnx --data mnist:test --from init.pt",
    "whether the loss falls all the way from the initialization",
  ],
);

async function landscape(
  path: string,
  { chosen, ...options }: LandscapeVerbOptions & { readonly chosen: LandscapeChoice },
  context: Context,
): Promise<Outcome> {
  const { statistics } = resolveFields(ATTEMPT, LANDSCAPE_FIELDS, chosen);
  assertNotKept({ ...options, statistics });
  const { journal, output, report } = options;
  if (report !== undefined) assertPageName(report);
  const { directions, others } = await chooseDirections(options);
  const paths: readonly [string, ...string[]] = [path, ...others];
  await assertArchitecture(ATTEMPT, paths, options);
  const read = await openSharedArchitecture(paths, options);
  const { data, statisticsData: recalibrationData } = await openData(options, dataContext(read));
  return withCheckpoints(paths, async (checkpoints) => {
    const named = [options.graph, options.exportedFrom].filter((file) => file !== undefined);
    const inputs = [...checkpoints.flatMap(({ files }) => files), ...named];
    for (const file of [journal, output, report]) if (file !== undefined) await assertOutput(file, inputs);
    const bound = await bindArchitecture(fitToData(read, data), checkpoints, options, context);
    const { networks, binding, ...architecture } = bound;
    for (const line of describeFeeds(ATTEMPT, bound.graph, data, {
      ...options,
      ...encodingOf(read),
    }))
      context.terminal.note(line);
    const labels = labelsOf(paths);
    const all = networks.map(({ network }, k): PlaneSubject => ({ label: at(labels, k, "label"), network }));
    const feeds = { context: dataContext(read), statistics };
    const subjects = { network: at(all, 0, "network"), others: all.slice(1) };
    const result = await measureLandscape(architecture, subjects, data, {
      ...{ ...chosen, directions, journalPath: journal },
      statisticsData: recalibrationData ?? (await openUnscoredFor(bound.graph, options, feeds)),
      signal: context.signal,
      onProgress: ({ stage, done }) => context.progress(STAGES[stage], done),
    });
    await saveResult(result, { output, report }, { inputs, context });
    const outputs = [output, report].filter((file) => file !== undefined);
    return {
      result: { ...result, binding },
      text: (await formatResult(result, context.terminal)) + formatOutputs(outputs),
    };
  });
}

const STAGES = { eigenvectors: "Computing eigenvectors", grid: "Measuring the landscape" } as const;
