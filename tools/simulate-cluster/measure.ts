/**
 * Measures on this machine what the simulation of a cluster starts from, and writes `measured.json` beside this file.
 *
 *   time node packages/cli/bin/isthmus.js study tools/simulate-cluster/star-table-in-small.yaml -o FOLDER --workers 1
 *   npx tsx --conditions=@isthmus/source tools/simulate-cluster/measure.ts --study FOLDER --share 0.9 [--parts tasks,merge,disk,queues,waiting]
 *
 * The share is the user and system time of the first command over its real time, as bash tells by `time`: on a busy
 * machine tasks wait for a core. Several folders, and their shares, stand
 * with commas between. `--parts` measures some parts again and keeps the others. Redis and PostgreSQL are started on free ports, and stopped.
 * What needs a cluster stands in `measuring/assumed.ts`, and is marked "assumed" in the file.
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { saveFile } from "@isthmus/core";
import { measureQueue } from "../../packages/distributed/bench/measure-queue.ts";
import {
  MEASURED_FILE,
  type Measured,
  type Quantity,
  type QueueQuantities,
  readMeasured,
} from "./measured.ts";
import { ASSUMED } from "./measuring/assumed.ts";
import { describeMachine, measureDisk, measureFolder, measureMerge } from "./measuring/measure-machine.ts";
import { measureTasks, type StudyRun } from "./measuring/measure-tasks.ts";
import { measureWaiting } from "./measuring/measure-waiting.ts";
import { type RunningServer, startPostgres, startRedis } from "./measuring/servers.ts";

const { values } = parseArgs({
  options: {
    study: { type: "string" },
    share: { type: "string", default: "1" },
    parts: { type: "string", default: "tasks,merge,disk,queues,waiting" },
  },
});

const quantity = (value: number, unit: string, how: string): Quantity => ({
  ...{ value: Number(value.toPrecision(4)), unit, source: "measured" as const, how },
});

/** Takes the value of an assumption into a measured one: the network, which this machine does not have. */
const withNetwork = (seconds: number, name: "networkRoundTrip" | "folderRoundTrip"): number =>
  seconds + (ASSUMED[name] as Quantity).value;

async function measureServer(start: () => Promise<RunningServer>): Promise<QueueQuantities> {
  const running = await start();
  try {
    const at: number[] = [];
    let tasks = 0;
    const measured = await measureQueue(running.server, (done) => {
      at.push(running.processorSeconds());
      tasks = done;
    });
    const processor = ((at[1] as number) - (at[0] as number)) / tasks;
    const name = `BullMQ on ${running.server.kind} of this machine`;
    const half = `half of the server's processor time for handing out a task and taking back its end; both sides together took ${(1000 * measured.roundTrip).toFixed(2)} ms of the clock on this machine`;
    return {
      latency: quantity(
        withNetwork((measured.latency + measured.event) / 2, "networkRoundTrip"),
        "s",
        `${name}: median of adding to taking (${(1000 * measured.latency).toFixed(2)} ms) and of ending to knowing (${(1000 * measured.event).toFixed(2)} ms), and the network`,
      ),
      service: quantity(processor / 2, "s", `${name}: ${half}`),
      add: quantity(measured.add, "s", `${name}: tasks of 2 kB, 500 at once`),
      poll: quantity(0, "s", "BullMQ calls workers that wait"),
    };
  } finally {
    await running.stop();
  }
}

async function measureQueues(): Promise<Measured["queues"]> {
  const claim = measureFolder();
  return {
    redis: await measureServer(startRedis),
    postgres: await measureServer(startPostgres),
    folder: {
      latency: ASSUMED["folderRoundTrip"] as Quantity,
      service: quantity(claim, "s", "listing 1,000 files and renaming one, on the local disk"),
      add: quantity(claim, "s", "as claiming"),
      poll: ASSUMED["folderPoll"] as Quantity,
    },
  };
}

async function measureQuantities(has: (part: string) => boolean): Promise<Record<string, Quantity>> {
  const quantities: Record<string, Quantity> = {};
  if (has("merge")) {
    const { bytesPerCoreSecond, command } = measureMerge();
    quantities["mergeBandwidth"] = quantity(bytesPerCoreSecond, "bytes/s", `of one core; ${command}`);
  }
  if (has("disk")) {
    const { write, read } = measureDisk();
    quantities["diskWrite"] = quantity(write, "bytes/s", "dd around the cache, 512 MB; for comparison only");
    quantities["diskRead"] = quantity(read, "bytes/s", "dd around the cache, 512 MB; for comparison only");
  }
  if (has("waiting")) {
    const { plan, planPerTask, note, notePerUnfinished, read } = await measureWaiting();
    const planned = "planStudy of star-table against one of its seven widths";
    quantities["plan"] = quantity(plan, "s", `${planned}: reading the examples`);
    quantities["planPerTask"] = quantity(planPerTask, "s", `${planned}: each task`);
    quantities["note"] = quantity(
      ...([note, "s"] as const),
      `runTasks of tasks that do nothing, and reading a result from the local disk (${(1000 * read).toFixed(2)} ms)`,
    );
    quantities["notePerUnfinished"] = quantity(
      ...([notePerUnfinished, "s"] as const),
      "runTasks of 4,000 tasks against 500: it looks through all unfinished ones after each result",
    );
  }
  return quantities;
}

/** Pairs folders with shares of the clock. */
function studyRuns(): StudyRun[] {
  const shares = values.share.split(",").map(Number);
  return String(values.study)
    .split(",")
    .map((folder, index) => ({ folder, share: shares[index] ?? shares[0] ?? 1 }));
}

const parts = new Set(values.parts.split(","));
const has = (part: string): boolean => parts.has(part);
const before = existsSync(MEASURED_FILE) ? await readMeasured() : undefined;
if (has("tasks") && values.study === undefined) throw new Error("Cannot measure tasks: give --study FOLDER");
const tasks = has("tasks") ? await measureTasks(studyRuns()) : before?.tasks;
const quantities = { ...before?.quantities, ...(await measureQuantities(has)), ...ASSUMED };
const queues = has("queues") ? await measureQueues() : before?.queues;
if (tasks === undefined || queues === undefined)
  throw new Error("Cannot keep what was never measured: give all --parts");
const machine = describeMachine(new Date().toISOString().slice(0, 10));
const measured: Measured = { machine, tasks, queues, quantities };
await saveFile(fileURLToPath(MEASURED_FILE), `${JSON.stringify(measured, null, 2)}\n`);
console.log(JSON.stringify({ machine, queues, quantities }, null, 2));
