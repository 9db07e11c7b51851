import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { readTextFile } from "@isthmus/core";
import { openDataSet } from "@isthmus/data";
import {
  listMissing,
  planStudy,
  type RunStudyResult,
  readStudy,
  restrictStudy,
  runStudy,
  type StudyDescription,
  type StudyResult,
} from "@isthmus/study";
import { readTaskResult } from "@isthmus/tasks";
import { addEngineOption, createEngine, type EngineOptions } from "../options/engine-option.ts";
import { HELP_GROUPS } from "../options/help-groups.ts";
import { parseCount, parseOnly } from "../options/parse-values.ts";
import { addQueueOptions, type QueueOptions } from "../options/queue-options.ts";
import { describeCommand } from "../result/result-provenance.ts";
import { describeFailures } from "../study/describe-failures.ts";
import { findDescribed, listShipped } from "../study/find-described.ts";
import { formatMissing, formatStudy, formatTasks, formatTimeLeft } from "../study/format-study.ts";
import { saveDescribed, TASKS } from "../study/save-described.ts";
import { withExecutor } from "../study/with-executor.ts";
import { type Context, createVerb, formatExamples, type Outcome, type RunVerb } from "../verb.ts";

interface StudyVerbOptions extends EngineOptions, QueueOptions {
  readonly output?: string | undefined;
  readonly workers: number;
  readonly only?: Readonly<Record<string, readonly string[]>> | undefined;
  readonly list?: true | undefined;
  readonly print?: true | undefined;
}

/** The script of the threads that tasks run in. */
const STUDY_WORKER = new URL("../work/study-worker.js", import.meta.url);

/** Creates the command `isthmus study`. */
export function studyVerb(run: RunVerb): CommandUnknownOpts {
  return addQueueOptions(addEngineOption(createStudyVerb()))
    .addHelpText("after", EXAMPLES)
    .addHelpText(
      "after",
      () =>
        `\nStudies that come with this program: ${listShipped("study").join(", ")}; --print shows what one is.\nFinished tasks are kept, whatever ends the command: the same command goes on with those that are missing.\n`,
    )
    .action((study, options) => run(options, (context) => runVerb(study, options, context)));
}

function createStudyVerb() {
  return createVerb("study", HELP_GROUPS.done)
    .argument("<study>", "a YAML file, or the name of a study that comes with this program")
    .option(
      "-o, --output <folder>",
      "folder for the results (default: a folder beside the file, with its name)",
    )
    .option(
      "--workers <n>",
      "number of tasks that run at once, each in a thread of its own",
      parseCount(1),
      availableParallelism(),
    )
    .option(
      "--only <variable=values>",
      "run only a part: some values of a variable, separated by commas; may be repeated",
      parseOnly,
    )
    .option("--list", "show the tasks that would be run, and run nothing")
    .option("--print", "print the file of the study, to make a changed one from it");
}

const EXAMPLES = formatExamples(
  ["isthmus study mnist-width", "a study that comes with this program; its results go to mnist-width/"],
  ["isthmus study mnist-width --print > mine.yaml", "start a study of your own from a copy"],
  ["isthmus study mine.yaml --list", "show what would be run"],
  ["isthmus study star-table --only width=4,8", "run a part; the whole study uses its results later"],
  ["isthmus study mine.yaml -o results --workers 8", "run what is missing"],
  [
    "isthmus study mine.yaml -o /shared/mine --queue /shared/queue --storage /shared",
    "on all machines where isthmus worker runs with that queue",
  ],
);

async function runVerb(name: string, options: StudyVerbOptions, context: Context): Promise<Outcome> {
  const file = await findDescribed("study", name);
  const whole = await readStudy(file.path);
  const description = options.only === undefined ? whole : restrictStudy(whole, options.only);
  if (options.print) {
    // A part of a study is printed as a study of its own, which can be read again.
    const { only: _, ...printed } = description;
    return { result: printed, text: (await readTextFile(file.path)).trimEnd() };
  }
  const folder = options.output ?? file.folder;
  if (options.list) return listTasks(description, folder, options);
  const provenance = describeCommand(["study", name, ...onlyWords(options)], context);
  return runTasks({ description, folder }, options, { ...context, provenance });
}

/**
 * Returns the words of the command that the results depend on. Where they are written and how many workers
 * there were changes nothing.
 */
function onlyWords({ only = {} }: StudyVerbOptions): string[] {
  return Object.entries(only).flatMap(([variable, values]) => ["--only", `${variable}=${values.join(",")}`]);
}

async function planPorts({ engine }: StudyVerbOptions) {
  return {
    engine: (await createEngine(engine)).name,
    openData: (name: string, inputs: readonly string[] = []) => openDataSet(name, { inputs }),
  };
}

async function listTasks(
  description: StudyDescription,
  folder: string,
  options: StudyVerbOptions,
): Promise<Outcome> {
  const plan = await planStudy(description, await planPorts(options));
  const { finished, missing } = await listMissing(plan, {
    read: (key) => readTaskResult(join(folder, TASKS), key),
  });
  const tasks = missing.map(({ key, kind, label }) => ({ key, kind, label }));
  const counts = { kept: finished };
  return {
    result: { missing: tasks, ...counts, folder },
    text: formatMissing(missing, finished),
  };
}

async function runTasks(
  { description, folder }: { readonly description: StudyDescription; readonly folder: string },
  options: StudyVerbOptions,
  context: Context,
): Promise<Outcome> {
  const { signal, progress } = context;
  const use = [...context.use, ...(description.use ?? [])];
  const work = { verb: "study", script: STUDY_WORKER, folder, context: { ...context, use } };
  return withExecutor(options, work, async (executor, tasks) => {
    const outcome = await runStudy(description, {
      ...(await planPorts(options)),
      folder: tasks,
      executor,
      signal,
      onProgress: (at) => progress(formatTasks(at), at.done, () => formatTimeLeft(at)),
    });
    const { study } = outcome;
    return study === undefined
      ? await describeFailures(outcome, "study's tasks")
      : await describeStudy({ ...outcome, study }, folder, context);
  });
}

async function describeStudy(
  { study, ran, kept }: RunStudyResult & { readonly study: StudyResult },
  folder: string,
  { provenance, terminal }: Context,
): Promise<Outcome> {
  const outputs = await saveDescribed({ ...study, provenance }, folder);
  const counts = `${ran} tasks run, ${kept} were finished before`;
  return {
    result: { ...study, provenance, ran, kept, outputs },
    text: `${formatStudy(study, terminal)}\n\n${counts}\nWrote ${outputs.length} files to "${folder}"; to look at: ${outputs.find((path) => path.endsWith(".html"))}`,
  };
}
