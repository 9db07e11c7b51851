import { availableParallelism, hostname } from "node:os";
import { setTimeout } from "node:timers/promises";
import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { UsageError } from "@isthmus/core";
import { type EndedTask, endWithin, isS3, serveWorkerStatus, type TaskWorker } from "@isthmus/distributed";
import type { StartedWorker } from "@isthmus/workers";
import { plural } from "../format/plural.ts";
import { engineNameOf } from "../open/open-engine.ts";
import { addEngineOption, type EngineOptions } from "../options/engine-option.ts";
import { HELP_GROUPS } from "../options/help-groups.ts";
import { parseBytes, parseCount, parseNumber } from "../options/parse-values.ts";
import { loadWorkers, QUEUE_HELP, STORAGE_HELP } from "../options/queue-options.ts";
import { formatSeconds } from "../training/format-training.ts";
import { type Context, createVerb, formatExamples, type Outcome, type RunVerb } from "../verb.ts";

interface WorkerVerbOptions extends EngineOptions {
  readonly queue: string;
  readonly storage: string;
  readonly name?: string | undefined;
  readonly concurrency: number;
  readonly memory?: number | undefined;
  readonly cache?: number | undefined;
  readonly lease: number;
  readonly grace: number;
  readonly idle?: number | undefined;
  readonly port?: number | undefined;
  readonly host: string;
}

/** Creates the command `isthmus worker`. */
export function workerVerb(run: RunVerb): CommandUnknownOpts {
  return addEngineOption(createWorkerVerb())
    .addHelpText("after", EXAMPLES)
    .addHelpText("after", NOTES)
    .action((options) => run(options, (context) => serve(options, context)));
}

const EXAMPLES = formatExamples(
  [
    "isthmus worker --queue /shared/queue --storage /shared",
    "on every machine, with a folder that all of them share and nothing else",
  ],
  [
    "isthmus worker --queue redis://queue.example:6379 --storage /shared --concurrency 4 --memory 32GB",
    "four tasks at once, each with 8 GB of memory",
  ],
  [
    "isthmus worker --queue /shared/queue --storage /shared --idle 60",
    "in a job of Slurm: ends when there has been nothing to do for a minute",
  ],
  [
    "isthmus worker --queue rediss://queue.example --storage s3://bucket/isthmus --port 9100",
    "without a shared disk; http://127.0.0.1:9100/metrics is for Prometheus",
  ],
);

const NOTES = `
Each task runs in a process of its own. The first SIGTERM or Ctrl-C lets tasks that run end, for as long as
--grace says; what is not done by then goes back to the queue. A second one ends the worker at once.
A worker runs nothing but tasks of studies, simulations, merges, maps and searches, on files below the storage;
and measurements of your own that isthmus worker --use FILE names, which no task can.
Whoever can write to the queue can make workers do that: do not let strangers reach it.
`;

function createWorkerVerb() {
  return createVerb("worker", HELP_GROUPS.running)
    .requiredOption("--queue <address>", `where tasks come from: ${QUEUE_HELP}`)
    .requiredOption("--storage <place>", `where files are: ${STORAGE_HELP}`)
    .option(
      "--concurrency <n>",
      "tasks at once, each in a process of its own",
      parseCount(1),
      availableParallelism(),
    )
    .option(
      "--memory <size>",
      "most memory of all tasks together, such as 8GB (default: no limit)",
      parseBytes,
    )
    .option(
      "--cache <size>",
      "most disk for copies of files, with --storage s3://; files that tasks read stay (default: 50GB)",
      parseBytes,
    )
    .option("--name <name>", "name of this worker (default: machine and process)")
    .option(
      "--lease <seconds>",
      "time after which others take over from a worker that is silent",
      parseNumber,
      30,
    )
    .option(
      "--grace <seconds>",
      "time that tasks may take to end when the worker is told to",
      parseNumber,
      25,
    )
    .option("--idle <seconds>", "end when there has been nothing to do for so long", parseNumber)
    .option("--port <n>", "port for /health and /metrics (default: none)", parseCount(0, 65_535))
    .option("--host <address>", "address to listen at, with --port", "127.0.0.1");
}

/** Smallest memory that a process of a task needs before it does anything, in bytes. */
const LEAST_MEMORY = 2 ** 28;

/**
 * Checks the options of the worker.
 * @throws UsageError if an option is too small for any task, or does not go with another
 */
function assertWorkerOptions({ lease, memory, concurrency, cache, storage }: WorkerVerbOptions): void {
  if (cache !== undefined && !isS3(storage)) {
    throw new UsageError(
      `Cannot limit the copies of files by --cache as a worker must make some, with --storage s3://BUCKET: tasks read the files of "${storage}" where they are`,
    );
  }
  if (!(lease >= 1)) {
    throw new UsageError(`Cannot start a worker as --lease must be at least 1 second: it is ${lease}`);
  }
  if (memory === undefined || memory / concurrency >= LEAST_MEMORY) return;
  const megabytes = Math.floor(memory / concurrency / 2 ** 20);
  throw new UsageError(
    `Cannot start a worker as each task must have 256 MB of memory: --memory gives each of ${concurrency} ${megabytes} MB; give more, or lower --concurrency`,
  );
}

async function serve(options: WorkerVerbOptions, context: Context): Promise<Outcome> {
  assertWorkerOptions(options);
  const { terminal } = context;
  const { startWorker } = await loadWorkers();
  const { name = `${hostname()}-${process.pid}`, cache: cacheBytes } = options;
  const worker = await startWorker({
    ...options,
    engine: engineNameOf(options),
    name,
    cacheBytes,
    use: context.use,
    onNote: (sentence) => terminal.note(`${name}: ${sentence}`),
    onLine: (line) => terminal.note(line),
    onStart: ({ task }) => terminal.note(`${name}: began "${task.label}"`),
    onEnd: (ended) => terminal.note(`${name}: ${describeEnd(ended)}`),
  });
  try {
    await serveUntilStopped(worker, options, context);
  } finally {
    await worker.close();
  }
  return describe(worker);
}

/** Says how a task ended on the worker. */
function describeEnd({ task: { task }, outcome, seconds }: EndedTask): string {
  const label = `"${task.label}"`;
  if (outcome.kind === "failed")
    return `${label} failed${outcome.again ? ", and may be tried again" : ""}: ${outcome.error.message}`;
  if (outcome.kind === "released" && outcome.reason !== undefined)
    return `gave ${label} back: ${outcome.reason}`;
  return `${outcome.kind} ${label} after ${formatSeconds(seconds)}`;
}

/** Shows the state of the worker, until it must end and its tasks have ended. */
async function serveUntilStopped(
  worker: StartedWorker,
  options: WorkerVerbOptions,
  context: Context,
): Promise<void> {
  const { terminal, signal } = context;
  const { name } = worker.status;
  const page = await openStatusPage(worker, options);
  const address = page === undefined ? "" : `; ${page.url}/metrics`;
  const atOnce = `${plural(options.concurrency, "task", "tasks")} at once`;
  terminal.note(`${name}: serves ${worker.queueName}, ${atOnce}${address}`);
  try {
    await untilStopped(worker, options, signal);
    if (worker.status.running.length > 0) terminal.note(`${name}: waits for the tasks that run`);
    await end(worker, options, context);
  } finally {
    await page?.close();
  }
}

async function openStatusPage(worker: TaskWorker, { port, host }: WorkerVerbOptions) {
  return port === undefined ? undefined : serveWorkerStatus(worker, { port, host });
}

/** Milliseconds between two checks of whether there is something to do. */
const LOOK_MS = 250;

/** Waits until the worker must end, or has had nothing to do for long enough. */
async function untilStopped(
  worker: TaskWorker,
  { idle = Number.POSITIVE_INFINITY }: WorkerVerbOptions,
  signal: AbortSignal,
): Promise<void> {
  let busyAt = performance.now();
  let endedTasks = 0;
  while (!signal.aborted && performance.now() - busyAt < idle * 1000) {
    await setTimeout(LOOK_MS, undefined, { signal }).catch(() => {});
    const { running, ended } = worker.status;
    const sum = ended.done + ended.failed + ended.released;
    if (running.length > 0 || sum !== endedTasks) busyAt = performance.now();
    endedTasks = sum;
  }
}

/**
 * Lets tasks end within the time that they have, and then gives the others back. Tasks that cannot be given
 * back, as the queue or the storage is away, are left to other workers.
 */
async function end(
  worker: TaskWorker,
  { grace, lease }: WorkerVerbOptions,
  { terminal }: Context,
): Promise<void> {
  if (await endWithin(worker.drain(), grace * 1000)) return;
  if (await endWithin(worker.release())) return;
  const { name, running } = worker.status;
  terminal.note(
    `${name}: ends although ${plural(running.length, "task", "tasks")} could not be given back; others take over after the lease, ${lease} s`,
  );
}

function describe({ status: { name, ended, busySeconds } }: TaskWorker): Outcome {
  const counts = `${ended.done} done, ${ended.failed} failed, ${ended.released} given back`;
  return {
    result: { worker: name, ...ended, busySeconds },
    text: `${name}: ${counts}, ${formatSeconds(busySeconds)} of work`,
  };
}
