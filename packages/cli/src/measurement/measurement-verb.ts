import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { resolveFields } from "@isthmus/core";
import type { AnyMeasurement, MeasurementEntry } from "@isthmus/findings";
import type { DrawableResult } from "@isthmus/report";
import type { StatisticsChoice } from "@isthmus/statistics";
import { formatResult } from "../format/format-result.ts";
import { assertPageName } from "../output/assert-output.ts";
import { saveResult } from "../result/save-result.ts";
import { type Context, type CreateVerb, createVerb, formatExamples, type Outcome } from "../verb.ts";
import { createControl } from "./create-control.ts";
import { addFieldOptions, readFields } from "./field-options.ts";
import { SUBJECT_FORMS, type SubjectRequest } from "./open-subject.ts";

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
    addFieldOptions(command, measurement.options);
    form.addOptions(command, measurement);
    addOutputOptions(command, measurement);
    return command
      .addHelpText("after", examplesOf(entry, measurement))
      .action(() => run(command.opts(), (context) => measure({ entry, measurement, command }, context)));
  };
}

function addOutputOptions(command: CommandUnknownOpts, { journal }: AnyMeasurement): void {
  if (journal !== undefined)
    command.option(
      "--journal <file>",
      `keep ${journal.keeps} in this file, and go on from it after an interruption`,
    );
  command
    .option("-o, --output <file>", "write the result (.json)")
    .option("--report <file>", "write a page with figures and all numbers (.html)");
}

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

type Flags = SubjectRequest["flags"] & MeasurementFlags;

/** Returns the options of a command. Commander cannot know the types of options from tables. */
const flagsOf = (command: CommandUnknownOpts): Flags => command.opts() as unknown as Flags;

async function measure({ entry, measurement, command }: Verb, context: Context): Promise<Outcome> {
  const { attempt, options: fields, subject } = measurement;
  const chosen = readFields(attempt, command, fields);
  resolveFields(attempt, fields, chosen);
  const flags = flagsOf(command);
  const { journal, output, report } = flags;
  if (report !== undefined) assertPageName(report);
  const outputs = [output, report].filter((file) => file !== undefined);
  const request: SubjectRequest = {
    measurement,
    paths: command.args,
    flags,
    statistics: chosen["statistics"] as StatisticsChoice | undefined,
    outputs: [journal, ...outputs].filter((file) => file !== undefined),
  };
  return SUBJECT_FORMS[subject].open(request, context, async (opened) => {
    const resolved = resolveFields(attempt, fields, { ...chosen, ...opened.implied });
    const control = createControl({ entry, measurement, journal }, context);
    const result = await control.follow(() => measurement.run(opened.subject, resolved, control));
    const { inputs, beside } = opened;
    await saveResult(result as DrawableResult, { output, report }, { inputs, context });
    return {
      result: { ...result, ...beside },
      text: await formatResult(result as DrawableResult, context.terminal, outputs),
    };
  });
}
