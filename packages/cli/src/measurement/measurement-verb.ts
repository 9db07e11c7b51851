import { rm } from "node:fs/promises";
import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { at, createFolder, resolveFields } from "@isthmus/core";
import type {
  AnyMeasurement,
  MeasuredResult,
  MeasurementEntry,
  MeasurePairs,
  OpenedSubject,
  Subjects,
  TrainingSubject,
} from "@isthmus/findings";
import { limitExamples } from "@isthmus/graph";
import type { Opened } from "@isthmus/measurements/open";
import { type DrawableResult, joinToMap } from "@isthmus/report";
import { STATISTICS_EXAMPLES, type StatisticsChoice } from "@isthmus/statistics";
import type { QueueTasks } from "@isthmus/workers";
import { alignmentFacts } from "../format/describe-pair.ts";
import { formatNote, formatOutputs } from "../format/format-outputs.ts";
import { formatResult } from "../format/format-result.ts";
import { type DoneStatistics, formatStatistics, measuredOn } from "../format/format-statistics.ts";
import { HELP_GROUPS } from "../options/help-groups.ts";
import { addQueueOptions, loadWorkers, type QueueOptions, withWorkers } from "../options/queue-options.ts";
import { assertPageName, assertResultName } from "../output/assert-output.ts";
import { readResults } from "../result/read-results.ts";
import { saveResult } from "../result/save-result.ts";
import type { TrainingFlags } from "../training/training-options.ts";
import { type Context, type CreateVerb, createVerb, formatExamples, type Outcome } from "../verb.ts";
import { createControl } from "./create-control.ts";
import { readFields } from "./field-options.ts";
import { addFormerOptions, type FormerFlags, formerJournal, saysOutputs } from "./former-options.ts";
import {
  addOutputOptions,
  listMadeFiles,
  type MadeFiles,
  makeAlone,
  nameMadeFiles,
  placeOf,
} from "./made-networks.ts";
import { openSubject, type SubjectRequest } from "./open-subject.ts";
import { SUBJECT_FORMS, type SubjectForm } from "./subject-forms.ts";
import { addTrainingFlags, flaggedFields, trainingValues } from "./training-flags.ts";
import { addWayOptions, chooseWay, type Way } from "./ways.ts";

/** Options of every command that measures, beside the ones of its subject and its measurement. */
interface MeasurementFlags extends Partial<TrainingFlags> {
  readonly testData?: string;
  readonly journal?: string;
  readonly networks?: string;
  readonly join?: readonly string[];
  readonly output?: string;
  readonly report?: string;
}

/**
 * Loads the measurements of a command, one or several ways, and makes the function that creates the command.
 */
export async function loadMeasurementVerb(entries: readonly MeasurementEntry[]): Promise<CreateVerb> {
  const ways = await Promise.all(
    entries.map(async (entry): Promise<Way> => ({ entry, measurement: await entry.load() })),
  );
  const { verb, subject } = at(entries, 0, "measurement");
  return (run) => {
    const form = SUBJECT_FORMS[subject];
    const { measurement } = at(ways, 0, "way");
    const command: CommandUnknownOpts = createVerb(verb, measurement.makes && HELP_GROUPS.done);
    for (const [name, help] of namedArguments(form, measurement)) command.argument(name, help);
    for (const way of ways) addTrainingFlags(command, way.measurement);
    const heading = command.optionsGroup();
    form.addOptions(command, measurement);
    addWayOptions(command.optionsGroup(heading), ways);
    addFormerOptions(command, at(entries, 0, "measurement").kind);
    addOutputOptions(command, measurement);
    const notes = ways.flatMap(({ measurement: { pairs } }) => (pairs === undefined ? [] : [pairs.note]));
    if (notes.length > 0) addQueueOptions(command);
    return command
      .addHelpText("after", formatExamples(...ways.flatMap(examplesOf)))
      .addHelpText("after", notes.map((note) => `\nWith --queue, ${note}.\n`).join(""))
      .action(() => run(command.opts(), (context) => measure(command, chooseWay(command, ways), context)));
  };
}

/** Lists the arguments of a command with their help. */
const namedArguments = (
  { arguments: named, helpOnLine }: SubjectForm,
  { isOnLine = false }: AnyMeasurement,
): (readonly [name: string, help: string])[] =>
  named.map(([name, help], i) => [name, (isOnLine && helpOnLine?.[i]) || help]);

/** Name of the data in example command lines. */
const EXAMPLE_DATA = "mnist:test";

/** Lists the examples of a way of the command as whole command lines. */
function examplesOf({
  entry: { verb, way },
  measurement: { subject, examples },
}: Way): (readonly [command: string, purpose: string])[] {
  const { arguments: named, isOfWeights } = SUBJECT_FORMS[subject];
  const networks = named.map(([, , example]) => example);
  const chosen = way === undefined ? [] : [`--${way.flag} ${way.value}`];
  return examples.map(([options, purpose]) => {
    const words = [
      `isthmus ${verb}`,
      ...networks,
      ...(isOfWeights || /--(graph|net)\b/.test(options) ? [] : ["--graph model.onnx"]),
      ...(isOfWeights || options.includes("--data") ? [] : [`--data ${EXAMPLE_DATA}`]),
      ...chosen,
      options,
    ];
    return [words.join(" "), purpose];
  });
}

type Flags = SubjectRequest["flags"] & MeasurementFlags & FormerFlags & QueueOptions;

/** Returns the options of a command. Commander cannot know the types of options from tables. */
const flagsOf = (command: CommandUnknownOpts): Flags => command.opts() as unknown as Flags;

async function measure(command: CommandUnknownOpts, way: Way, context: Context): Promise<Outcome> {
  const { measurement } = way;
  const { attempt, options: fields } = measurement;
  const chosen = readFields(attempt, command, flaggedFields(measurement));
  const options = resolveFields(attempt, fields, chosen);
  const flags = flagsOf(command);
  const { networks, output, report } = flags;
  const made = nameMadeFiles(measurement, output, options);
  if (output !== undefined && made === undefined) assertResultName(output);
  if (report !== undefined) assertPageName(report);
  if (networks !== undefined) await createFolder(networks);
  const work = () => measureInto({ ...way, chosen, options, flags, made }, command.args, context);
  return made === undefined ? work() : makeAlone(made, flags.resume ?? false, work);
}

/** A measurement with the options and files that a command line gives. */
interface Asked extends Way {
  /** Options that the command line gives, without the ones of a training. */
  readonly chosen: Readonly<Record<string, unknown>>;
  /** The same options with their defaults. */
  readonly options: SubjectRequest["resolved"];
  readonly flags: Flags;
  /** Files of the networks that it makes. */
  readonly made: MadeFiles | undefined;
}

async function measureInto(asked: Asked, paths: readonly string[], context: Context): Promise<Outcome> {
  const { measurement, entry, chosen, flags, made } = asked;
  const { attempt, options: fields, subject } = measurement;
  const { networks, report } = flags;
  const former = made === undefined && flags.journal === undefined ? formerJournal(flags) : undefined;
  const journal = made?.state ?? flags.journal ?? former;
  const output = made === undefined ? flags.output : made.result;
  const outputs = [...(made ? listMadeFiles(made) : [output]), report].filter((file) => file !== undefined);
  const request: SubjectRequest = {
    measurement,
    resolved: asked.options,
    paths,
    flags,
    statistics: chosen["statistics"] as StatisticsChoice | undefined,
    outputs: [...(measurement.journal?.isFolder ? [] : [journal]), ...outputs].filter(
      (file) => file !== undefined,
    ),
  };
  const { corrected } = SUBJECT_FORMS[subject];
  const joined = await readResults(flags.join ?? []);
  return openSubject(request, context, async (opened) => {
    const trained = trainingValues(measurement, flags, opened.subject as OpenedSubject | TrainingSubject);
    const resolved = resolveFields(attempt, fields, { ...chosen, ...trained, ...opened.implied });
    const { alignment, binding, restore } = opened;
    // What cannot be on the map is refused before the map is measured.
    if (joined.length > 0) await joinToMap({ networks: sourcesOf(opened) }, joined);
    const inputs = [...opened.files, ...(flags.join ?? [])];
    const facts = alignmentFacts(alignment);
    const files = { fileOf: placeOf(made, networks), graphFile: made?.graph };
    const work = { verb: entry.verb, beside: journal ?? output ?? report ?? entry.verb, context };
    const alone = await withWorkers(flags, work, async (tasks) => {
      const measurePairs = tasks && (await pairsByQueue(tasks, measurement, opened));
      const running = { entry, measurement, journal, restore, measurePairs, ...files };
      const control = createControl(running, context);
      return control.follow(() => measurement.run(opened.subject, resolved, control));
    });
    const drawn = alone as DrawableResult;
    const drawable = drawn.kind === "map" ? await joinToMap(drawn, joined) : drawn;
    await saveResult(drawable, { output, report }, { inputs, facts, context });
    if (former !== undefined) await rm(former, { force: true });
    const note = corrected === undefined ? "" : noteStatistics(opened, drawable, corrected);
    return {
      result: {
        ...drawable,
        ...(alignment && { alignment }),
        ...(binding && { binding }),
        ...((made || saysOutputs(measurement.kind)) && { outputs }),
      },
      text: [
        await formatResult(drawable, context.terminal),
        ...formatNote(note),
        formatOutputs(outputs),
      ].join(""),
    };
  });
}

/** Lists the sources of the networks of a map, a star last. */
function sourcesOf({ subject }: Opened): { readonly source: string }[] {
  const { networks = [], star }: Partial<Subjects["networks-and-star"]> = subject as object;
  return [...networks.map(({ network }) => network), ...(star ? [star] : [])];
}

/**
 * Returns a function that measures pairs on the workers of a queue; undefined if the measurement has no
 * pairs.
 */
async function pairsByQueue(
  tasks: QueueTasks,
  measurement: AnyMeasurement,
  { subject, named }: Opened,
): Promise<MeasurePairs | undefined> {
  if (named === undefined || !("statisticsData" in subject)) return undefined;
  const { data, statisticsData } = subject;
  const { queuePairs } = await loadWorkers();
  return queuePairs(tasks, measurement, { data, statisticsData, ...named });
}

/** Describes the correction of batch norms; an empty text for results that have no statistics. */
function noteStatistics({ subject }: Opened, result: MeasuredResult, corrected: string): string {
  const done: MeasuredResult & Partial<DoneStatistics> = result;
  const { statistics } = done;
  if (statistics === undefined || !("statisticsData" in subject)) return "";
  const { graph, data } = subject;
  const { statisticsData = limitExamples("measure statistics", data, STATISTICS_EXAMPLES) } = subject;
  return formatStatistics(graph, { ...measuredOn(statisticsData), ...done, statistics }, corrected);
}
