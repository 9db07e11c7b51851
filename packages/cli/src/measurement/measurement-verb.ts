import { rm } from "node:fs/promises";
import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { resolveFields } from "@isthmus/core";
import type { AnyMeasurement, MeasuredResult, MeasurementEntry } from "@isthmus/findings";
import { limitExamples } from "@isthmus/graph";
import type { DrawableResult } from "@isthmus/report";
import { STATISTICS_EXAMPLES, type StatisticsChoice } from "@isthmus/statistics";
import { formatNote, formatOutputs } from "../format/format-outputs.ts";
import { formatResult } from "../format/format-result.ts";
import { type DoneStatistics, formatStatistics, measuredOn } from "../format/format-statistics.ts";
import { assertPageName, assertResultName } from "../output/assert-output.ts";
import { saveResult } from "../result/save-result.ts";
import { type Context, type CreateVerb, createVerb, formatExamples, type Outcome } from "../verb.ts";
import { createControl } from "./create-control.ts";
import { addFieldOptions, readFields } from "./field-options.ts";
import { addFormerOptions, type FormerFlags, formerJournal } from "./former-options.ts";
import type { Opened, SubjectRequest } from "./open-subject.ts";
import { SUBJECT_FORMS } from "./subject-forms.ts";

/** Options of every command that measures, beside the ones of its subject and its measurement. */
interface MeasurementFlags {
  readonly journal?: string;
  readonly output?: string;
  readonly report?: string;
}

/** Loads a measurement, and makes the function that creates its command. */
export async function loadMeasurementVerb(entry: MeasurementEntry): Promise<CreateVerb> {
  const measurement = await entry.load();
  return (run) => {
    const form = SUBJECT_FORMS[measurement.subject];
    const command: CommandUnknownOpts = createVerb(entry.verb);
    for (const [name, help] of form.arguments) command.argument(name, help);
    const heading = command.optionsGroup();
    form.addOptions(command, measurement);
    addFieldOptions(command.optionsGroup(heading), measurement.options);
    addOutputOptions(command, measurement);
    addFormerOptions(command, entry.kind);
    return command
      .addHelpText("after", examplesOf(entry, measurement))
      .action(() => run(command.opts(), (context) => measure({ entry, measurement, command }, context)));
  };
}

function addOutputOptions(command: CommandUnknownOpts, { journal }: AnyMeasurement): void {
  if (journal !== undefined)
    command.option(
      `--journal <${placeOf(journal)}>`,
      `keep ${journal.keeps} in this ${placeOf(journal)}, and go on from it after an interruption`,
    );
  command
    .option("-o, --output <file>", "write the result (.json)")
    .option("--report <file>", "write a page with figures and all numbers (.html)");
}

const placeOf = ({ isFolder }: NonNullable<AnyMeasurement["journal"]>): string =>
  isFolder ? "folder" : "file";

/** Data that examples name. */
const EXAMPLE_DATA = "mnist:test";

function examplesOf({ verb }: MeasurementEntry, { subject, examples }: AnyMeasurement): string {
  const networks = SUBJECT_FORMS[subject].arguments.map(([, , example]) => example).join(" ");
  const words = (options: string): string =>
    [
      ...(options.includes("--graph") ? [] : ["--graph model.onnx"]),
      ...(options.includes("--data") ? [] : [`--data ${EXAMPLE_DATA}`]),
      options,
    ].join(" ");
  return formatExamples(
    ...examples.map(
      ([options, purpose]) => [`isthmus ${verb} ${networks} ${words(options)}`, purpose] as const,
    ),
  );
}

/** The command of a measurement. */
interface Verb {
  readonly entry: MeasurementEntry;
  readonly measurement: AnyMeasurement;
  readonly command: CommandUnknownOpts;
}

type Flags = SubjectRequest["flags"] & MeasurementFlags & FormerFlags;

/** Returns the options of a command. Commander cannot know the types of options from tables. */
const flagsOf = (command: CommandUnknownOpts): Flags => command.opts() as unknown as Flags;

async function measure({ entry, measurement, command }: Verb, context: Context): Promise<Outcome> {
  const { attempt, options: fields, subject } = measurement;
  const chosen = readFields(attempt, command, fields);
  resolveFields(attempt, fields, chosen);
  const flags = flagsOf(command);
  const { output, report } = flags;
  if (output !== undefined) assertResultName(output);
  if (report !== undefined) assertPageName(report);
  const former = flags.journal === undefined ? formerJournal(flags) : undefined;
  const journal = flags.journal ?? former;
  const outputs = [output, report].filter((file) => file !== undefined);
  const request: SubjectRequest = {
    measurement,
    paths: command.args,
    flags,
    statistics: chosen["statistics"] as StatisticsChoice | undefined,
    outputs: [...(measurement.journal?.isFolder ? [] : [journal]), ...outputs].filter(
      (file) => file !== undefined,
    ),
  };
  const form = SUBJECT_FORMS[subject];
  return form.open(request, context, async (opened) => {
    const resolved = resolveFields(attempt, fields, { ...chosen, ...opened.implied });
    const control = createControl({ entry, measurement, journal }, context);
    const result = await control.follow(() => measurement.run(opened.subject, resolved, control));
    const { inputs, facts, beside } = opened;
    await saveResult(result as DrawableResult, { output, report }, { inputs, facts, context });
    if (former !== undefined) await rm(former, { force: true });
    const note = form.corrected === undefined ? "" : noteStatistics(opened, result, form.corrected);
    return {
      result: { ...result, ...beside },
      text: [
        await formatResult(result as DrawableResult, context.terminal),
        ...formatNote(note),
        formatOutputs(outputs),
      ].join(""),
    };
  });
}

/** Says what was done about batch norms; an empty text for results that know nothing of it. */
function noteStatistics({ subject }: Opened, result: MeasuredResult, corrected: string): string {
  const done: MeasuredResult & Partial<DoneStatistics> = result;
  const { statistics } = done;
  if (statistics === undefined || !("graph" in subject)) return "";
  const { graph, data } = subject;
  const { statisticsData = limitExamples("measure statistics", data, STATISTICS_EXAMPLES) } = subject;
  return formatStatistics(graph, { ...measuredOn(statisticsData), ...done, statistics }, corrected);
}
