import { setTimeout } from "node:timers/promises";
import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { UsageError } from "@isthmus/core";
import {
  cancelTasks,
  describeQueue,
  openQueue,
  type QueueDescription,
  retryTasks,
  type TaskQueue,
} from "@isthmus/distributed";
import { formatTable } from "../format/format-table.ts";
import { QUEUE_HELP } from "../options/queue-options.ts";
import { formatSeconds } from "../training/format-training.ts";
import { type Context, createVerb, formatExamples, type Outcome, type RunVerb } from "../verb.ts";

interface QueueVerbOptions {
  readonly queue: string;
  readonly all?: true | undefined;
}

/** Creates the command `isthmus queue` with the verbs below it. */
export function queueVerb(run: RunVerb): CommandUnknownOpts {
  const command: CommandUnknownOpts = new Command("queue")
    .usage("<verb> [options]")
    .helpOption("-h, --help", "show this help; isthmus queue <verb> --help shows the help of a verb")
    .helpCommand(false)
    .commandsGroup("Verbs:")
    .addHelpText("after", EXAMPLES);
  const add = (name: string, summary: string, act: Act) =>
    command.addCommand(
      createQueueVerb(name, summary).action((options) =>
        run(options, (context) =>
          withQueue(options, context, (queue) => act(queue, [], { options, context })),
        ),
      ),
    );
  const addForTasks = (name: string, summary: string, act: Act) =>
    command.addCommand(
      createQueueVerb(name, summary)
        .argument("[tasks...]", "ids of tasks, as isthmus queue status shows them")
        .option("--all", "all tasks")
        .action((ids, options) =>
          run(options, (context) =>
            withQueue(options, context, (queue) => act(queue, ids, { options, context })),
          ),
        ),
    );
  add("status", "Show what waits, what runs where, and what has failed", showStatus);
  add("watch", "Show the status again and again, until nothing waits or runs", watch);
  addForTasks("cancel", "Take tasks out of the queue; those that run are stopped", cancel);
  addForTasks("retry", "Try failed tasks again", retry);
  add("drain", "Take all waiting tasks out, and wait for those that run", drain);
  return command;
}

const EXAMPLES = formatExamples(
  ["isthmus queue status --queue redis://queue.example:6379", "what waits, runs and has failed"],
  ["isthmus queue watch --queue /shared/queue", "follow it"],
  ["isthmus queue retry --all --queue /shared/queue", "after the disk has room again"],
  ["isthmus queue cancel --all --queue /shared/queue", "give everything up"],
);

type Act = (
  queue: TaskQueue,
  ids: readonly string[],
  how: { readonly options: QueueVerbOptions; readonly context: Context },
) => Promise<Outcome>;

function createQueueVerb(name: string, summary: string) {
  return createVerb(name)
    .summary(summary)
    .description(`${summary}.`)
    .requiredOption("--queue <address>", `the queue: ${QUEUE_HELP}`);
}

async function withQueue(
  { queue: address }: QueueVerbOptions,
  { terminal }: Context,
  act: (queue: TaskQueue) => Promise<Outcome>,
): Promise<Outcome> {
  const queue = await openQueue(address, { onTrouble: (sentence) => terminal.note(sentence) });
  try {
    return await act(queue);
  } finally {
    await queue.close();
  }
}

const showStatus: Act = async (queue) => {
  const description = await describeQueue(queue);
  return { result: description, text: formatQueue(description) };
};

/** Milliseconds between two looks of `watch` and `drain`. */
const LOOK_MS = 1000;

const watch: Act = async (queue, _ids, { context: { terminal, signal, progress } }) => {
  for (;;) {
    const description = await describeQueue(queue);
    const { waiting, running, failed } = description.counts;
    const [first] = description.running;
    const label = first === undefined ? "" : `: ${first.label} on ${first.worker ?? "a worker"}`;
    progress(`${waiting} waiting, ${running} running, ${failed} failed${label}`);
    if (waiting + running === 0) return { result: description, text: formatQueue(description) };
    if (!terminal.interactive)
      terminal.note(`${waiting} waiting, ${running} running, ${failed} failed${label}`);
    await setTimeout(LOOK_MS, undefined, { signal });
  }
};

const cancel: Act = async (queue, ids, { options }) => {
  assertNamed("cancel", ids, options);
  const cancelled = await cancelTasks(queue, options.all === undefined ? ids : undefined);
  return { result: { cancelled }, text: `${cancelled} tasks were cancelled` };
};

const retry: Act = async (queue, ids, { options }) => {
  assertNamed("retry", ids, options);
  const retried = await retryTasks(queue, options.all === undefined ? ids : undefined);
  return { result: { retried }, text: `${retried} tasks are tried again` };
};

const drain: Act = async (queue, _ids, { context: { signal, progress } }) => {
  const cancelled = await cancelTasks(queue, undefined, ["waiting"]);
  for (let { running } = await queue.count(); running > 0; { running } = await queue.count()) {
    progress(`${running} tasks still run`);
    await setTimeout(LOOK_MS, undefined, { signal });
  }
  return { result: { cancelled }, text: `${cancelled} waiting tasks were taken out, and none runs any more` };
};

function assertNamed(verb: string, ids: readonly string[], { all }: QueueVerbOptions): void {
  if (ids.length > 0 !== (all === true)) return;
  throw new UsageError(
    `Cannot ${verb} as it must be clear which tasks: name them by their ids, or all of them by --all`,
  );
}

/** Tasks of a list that are shown. */
const SHOWN = 20;

function formatQueue({ queue, counts, workers, running, failed }: QueueDescription): string {
  const parts = [
    `${queue}: ${counts.waiting} waiting, ${counts.running} running, ${counts.failed} failed; ${workers.length} workers${workers.length === 0 ? "" : `: ${workers.map(({ name }) => name).join(", ")}`}`,
  ];
  if (running.length > 0) {
    const rows = running
      .slice(0, SHOWN)
      .map(({ id, label, worker = "", done = 0, seconds }) => [
        ...[id, label, worker, `${Math.round(done * 100)} %`],
        seconds === undefined ? "" : formatSeconds(seconds),
      ]);
    parts.push(
      formatTable(
        [
          { title: "id", align: "left" },
          { title: "running", align: "left" },
          { title: "worker", align: "left" },
          { title: "done", align: "right" },
          { title: "for", align: "right" },
        ],
        rows,
      ),
    );
  }
  if (failed.length > 0) {
    parts.push(
      failed
        .slice(0, SHOWN)
        .map(({ id, label, error }) => `${id} "${label}" failed: ${error?.message ?? ""}`)
        .join("\n"),
    );
  }
  return parts.join("\n\n");
}
