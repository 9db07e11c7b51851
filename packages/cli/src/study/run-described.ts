import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { Command } from "@commander-js/extra-typings";
import { readTextFile } from "@isthmus/core";
import { createEngine } from "@isthmus/engine";
import type { DeviceName } from "@isthmus/graph";
import type { SimulationResult } from "@isthmus/simulation";
import type { StudyResult } from "@isthmus/study";
import {
  type MissingTasks,
  type RunMissingOptions,
  type RunMissingResult,
  readTaskResult,
  type TaskFailure,
  type TaskStore,
} from "@isthmus/tasks";
import { engineNameOf } from "../open/open-engine.ts";
import { HELP_GROUPS } from "../options/help-groups.ts";
import { type AddOptions, optionGroup } from "../options/option-group.ts";
import { parseCount } from "../options/parse-values.ts";
import type { TaskVerbOptions } from "../options/queue-options.ts";
import { describeCommand } from "../result/result-provenance.ts";
import { explainFailure } from "../terminal/explain-failure.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { type CommonOptions, type Context, createVerb, type Outcome } from "../verb.ts";
import type { DescribedFile, DescribedSort } from "./find-described.ts";
import { formatFailures, formatMissing, formatTasks, formatTimeLeft } from "./format-study.ts";
import { saveDescribed, TASKS } from "./save-described.ts";
import { withExecutor } from "./with-executor.ts";

/** Options of a command that runs a described study or simulation. */
export type DescribedOptions = TaskVerbOptions & {
  /** Folder for the results. @defaultValue a folder beside the file, with its name */
  readonly output?: string | undefined;
  /** True to list the missing tasks and run none. @defaultValue the tasks run */
  readonly list?: true | undefined;
  /** True to print the file and run nothing. @defaultValue the tasks run */
  readonly print?: true | undefined;
};

/** The outcome of a study or a simulation: how many tasks were run, which failed, and the result. */
interface DescribedRun<R> extends Pick<RunMissingResult, "ran" | "kept" | "failures"> {
  /** Tasks that were not started; missing if no task depends on another. */
  readonly blocked?: RunMissingResult["blocked"];
  /** Result of the work; missing if a task failed. */
  readonly result?: R | undefined;
}

/** A study or a simulation that a file describes, with the functions by which its command runs it. */
export interface Described<R extends StudyResult | SimulationResult> {
  /** File of the description, and the folder for results. */
  readonly file: DescribedFile;
  /** The description that `--print` returns as JSON. */
  readonly printed: object;
  /** Words of the command that the results depend on, the verb first. */
  readonly words: readonly string[];
  /** Files of measurements that the description names. */
  readonly use?: readonly string[] | undefined;
  /** Device that the description names. @defaultValue the processor */
  readonly device?: DeviceName | undefined;
  /** Name of the command, to say how to go on. */
  readonly verb: string;
  /** Sort of the work, which decides what threads can run. */
  readonly sort: DescribedSort;
  /** Name of the tasks in the plural, for the message if some fail. */
  readonly tasks: string;
  /** Lists the tasks that must be run on an engine. */
  missing(engine: string, store: Pick<TaskStore, "read">): Promise<MissingTasks>;
  /** Runs the missing tasks and gathers the result. */
  run(engine: string, options: RunMissingOptions): Promise<DescribedRun<R>>;
  /** Formats the result as text for the terminal. */
  format(result: R, terminal: Terminal): string;
  /** Says how many tasks were run, and how many were finished before. */
  formatCounts(ran: number, finished: number): string;
}

/** Options for the folder of the results, and for the number of tasks at once. */
type RunningOptions = Pick<DescribedOptions, "output" | "workers">;

/** A task that could not be begun. */
type Blocked = Pick<TaskFailure["task"], "key" | "label">;

const addRunningOptions: AddOptions<RunningOptions, [tasks: string]> = optionGroup((command, tasks) => {
  command
    .option(
      "-o, --output <folder>",
      "folder for the results (default: a folder beside the file, with its name)",
    )
    .option(
      "--workers <n>",
      `number of ${tasks} that run at once, each in a thread of its own`,
      parseCount(1),
      availableParallelism(),
    );
});

/**
 * Creates a command that runs a described study or simulation, with the options that come before its own.
 * @param tasks - noun for its tasks
 */
export function createDescribedVerb(
  name: string,
  sort: DescribedSort,
  tasks: string,
): Command<[string], CommonOptions & RunningOptions> {
  const command = createVerb(name, HELP_GROUPS.done).argument(
    `<${sort}>`,
    `a YAML file, or the name of a ${sort} that comes with this program`,
  );
  return addRunningOptions(command as Command<[string], CommonOptions>, tasks);
}

/**
 * Adds the options that only show the description in a file; `list` is the object of the help of `--list`.
 */
export const addShowOptions: AddOptions<
  Pick<DescribedOptions, "list" | "print">,
  [sort: DescribedSort, list: string]
> = optionGroup((command, sort, list) => {
  command
    .option("--list", `show ${list}`)
    .option("--print", `print the file of the ${sort}, to make a changed one from it`);
});

/**
 * Runs the missing tasks of a described study or simulation and writes its results, or shows the tasks
 * without running them.
 */
export async function runDescribed<R extends StudyResult | SimulationResult>(
  described: Described<R>,
  ofCommand: DescribedOptions,
  context: Context,
): Promise<Outcome> {
  const { file, printed, verb, sort, words, use = [] } = described;
  const options = { ...ofCommand, device: ofCommand.device ?? described.device };
  if (options.print) return { result: printed, text: (await readTextFile(file.path)).trimEnd() };
  const folder = options.output ?? file.folder;
  const { name: engine } = await createEngine(engineNameOf(options));
  if (options.list) return listDescribed(described, engine, folder);
  const { signal, progress } = context;
  const work = { verb, sort, folder, context: { ...context, use: [...context.use, ...use] } };
  return withExecutor(options, work, async (executor, tasks) => {
    const { result, ...outcome } = await described.run(engine, {
      folder: tasks,
      executor,
      signal,
      onProgress: (at) => progress(formatTasks(at), at.done, () => formatTimeLeft(at)),
    });
    if (result === undefined) return await describeFailures(outcome, described.tasks);
    const { ran, kept } = outcome;
    const made = { ...result, provenance: describeCommand(words, context) };
    const outputs = await saveDescribed(made, folder);
    const texts = [described.format(result, context.terminal), described.formatCounts(ran, kept)];
    const page = outputs.find((path) => path.endsWith(".html"));
    return {
      result: { ...made, ran, kept, outputs },
      text: `${texts.join("\n\n")}\nWrote ${outputs.length} files to "${folder}"; to look at: ${page}`,
    };
  });
}

async function listDescribed<R extends StudyResult | SimulationResult>(
  described: Described<R>,
  engine: string,
  folder: string,
): Promise<Outcome> {
  const { finished, missing } = await described.missing(engine, {
    read: (key) => readTaskResult(join(folder, TASKS), key),
  });
  const tasks = missing.map(({ key, kind, label }) => ({ key, kind, label }));
  return { result: { missing: tasks, kept: finished, folder }, text: formatMissing(missing, finished) };
}

/**
 * Describes the tasks that failed. The exit code is 2 if all of them failed by wrong input or usage, else 1.
 * @param what - noun for the tasks, such as `federations`
 */
async function describeFailures(
  {
    failures,
    blocked,
    ran,
    kept,
  }: {
    readonly failures: readonly TaskFailure[];
    /** Tasks that could not be begun; missing if no task depends on another. */
    readonly blocked?: readonly Blocked[];
    readonly ran: number;
    readonly kept: number;
  },
  what: string,
): Promise<Outcome> {
  const explained = await Promise.all(
    failures.map(async ({ task: { key, label }, error }) => ({
      key,
      label,
      ...(await explainFailure(error)),
    })),
  );
  return {
    result: {
      failures: explained.map(({ key, label, message }) => ({ key, label, message })),
      ...(blocked && { blocked: blocked.map(({ key, label }) => ({ key, label })) }),
      ran,
      kept,
    },
    text: formatFailures(explained, { blocked: blocked ?? [], ran, kept }),
    failure: `${failures.length} of the ${what} failed`,
    exitCode: explained.every(({ exitCode }) => exitCode === 2) ? 2 : 1,
  };
}
