// Runs a study of 64 tasks on three workers, again and again, while faults happen at random moments: workers, tasks and the waiting command
// are killed, workers are stopped for longer than their lease, the servers of the queue and of the objects are killed and restarted, the disk is
// full for two seconds, the clocks of all commands are set hours ahead or back (if libfaketime is installed).
// Every study must end with the bytes that threads give, every task published once, and nothing left behind.
//
//   npx tsx --conditions=@isthmus/source tools/kill-cluster.ts [--queue folder|redis|postgres] [--storage folder|s3] [--faults 100] [--seed 1]
//     [--networks 8] [--net mlp:16] [--epochs 3]
//
// A study of wider networks and more epochs takes longer, so that more of the faults happen to it. It runs the built program
// (npm run build). As root on Linux the storage, or the folder of the objects, is a small disk of its own, which can be filled; otherwise that fault
// is left out.
// Prints a line of JSON for each study, and ends with 1 if any was wrong.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import { at, createRandom } from "@isthmus/core";
import { digestTree, filesBelow } from "./cluster/digest-tree.ts";
import { canHappen, FAULTS, type Fault, happen, startClock } from "./cluster/faults.ts";
import { OBJECT_CREDENTIALS, startObjects } from "./cluster/object-server.ts";
import { type RunningCommand, runCommand, startCommand } from "./cluster/program.ts";
import { queueSort, startQueue, type ToolQueue } from "./cluster/queue-servers.ts";
import { writeSmallStudy } from "./cluster/small-study.ts";

const { values } = parseArgs({
  options: {
    queue: { type: "string", default: "folder" },
    storage: { type: "string", default: "folder" },
    faults: { type: "string", default: "100" },
    seed: { type: "string", default: "1" },
    networks: { type: "string", default: "8" },
    net: { type: "string", default: "mlp:16" },
    epochs: { type: "string", default: "3" },
  },
});
const LEASE = 3000;
const WORKERS = 3;
const sort = queueSort(values.queue);
const random = createRandom(Number(values.seed), "faults");
const folder = mkdtempSync(join(tmpdir(), "isthmus-cluster-"));
const disk = mountDisk(folder);
const study = writeSmallStudy(folder, {
  networks: Number(values.networks),
  net: values.net,
  epochs: Number(values.epochs),
});

await runCommand(["study", study, "-o", "threads", "--quiet"], folder);
const expected = digestTree(join(folder, "threads"));
const started = await startQueue(sort);
if (started === undefined) throw new Error(`there is no queue of the sort ${sort} here`);
const queue: ToolQueue = started;
const objects = values.storage === "s3" ? await startObjects(join(folder, "storage")) : undefined;
// Copies of objects go below a home of this tool's own.
const clock = join(folder, "clock");
const setting = startClock(clock);
const env = { ...setting, ...(objects && { ...OBJECT_CREDENTIALS, HOME: folder }) };

let [faults, wrong, round] = [0, 0, 0];
try {
  while (faults < Number(values.faults)) {
    const outcome = await runStudy(`round-${round++}`, Number(values.faults) - faults);
    faults += outcome.faults.length;
    if (!outcome.same || outcome.twice.length > 0 || outcome.left.length > 0) wrong++;
    console.log(
      JSON.stringify({ queue: sort, storage: values.storage, ...outcome, faults: countOf(outcome.faults) }),
    );
  }
  console.log(JSON.stringify({ queue: sort, storage: values.storage, faults, rounds: round, wrong }));
} finally {
  await queue.stop();
  await objects?.stop();
  if (disk !== undefined) execFileSync("umount", [disk]);
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = wrong === 0 ? 0 : 1;

/** Mounts a small disk for the storage, where that is allowed. */
function mountDisk(parent: string): string | undefined {
  const path = join(parent, "storage");
  mkdirSync(path);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64m", "tmpfs", path], { stdio: "pipe" });
    return path;
  } catch {
    return undefined;
  }
}

interface RoundOutcome {
  readonly seconds: number;
  readonly faults: readonly Fault[];
  readonly same: boolean;
  /** Tasks whose published result was replaced. */
  readonly twice: readonly string[];
  /** Files that are left beside results. */
  readonly left: readonly string[];
}

async function runStudy(name: string, most: number): Promise<RoundOutcome> {
  const began = performance.now();
  const cwd = join(folder, objects === undefined ? "storage" : "results");
  mkdirSync(cwd, { recursive: true });
  const where = ["--queue", queue.address, "--storage", objects?.url.href ?? cwd];
  const startWorker = (number: number): RunningCommand =>
    startCommand(
      [
        ...["worker", ...where, "--concurrency", "1"],
        ...["--name", `worker-${number}`, "--lease", String(LEASE / 1000)],
      ],
      { cwd, env },
    );
  const startWaiting = (): RunningCommand =>
    startCommand(["study", study, "-o", join(cwd, name), ...where], { cwd, env });
  let numbers = 0;
  let workers = Array.from({ length: WORKERS }, () => startWorker(numbers++));
  let waiting = startWaiting();
  const happened: Fault[] = [];
  const published = new Map<string, number>();
  const twice = new Set<string>();
  let isOver = false;
  const mend = (async () => {
    while (!isOver) {
      workers = workers.map((worker) => (worker.isAlive() ? worker : startWorker(numbers++)));
      if (!waiting.isAlive()) {
        if (waiting.child.exitCode === 0) isOver = true;
        else waiting = startWaiting();
      }
      notePublished(join(cwd, name), published, twice);
      await setTimeout(100);
    }
  })();
  while (!isOver && happened.length < most) {
    await setTimeout(500 + 2500 * random.uniform());
    if (isOver) break;
    const fault = at(FAULTS, Math.floor(FAULTS.length * random.uniform()), "fault");
    const victims = {
      queue,
      objects,
      disk,
      clock: setting && clock,
      lease: LEASE,
      workers: () => workers,
      waiting: () => waiting,
    };
    if (!canHappen(fault, victims)) continue;
    happened.push(fault);
    await happen(fault, victims, random.uniform());
  }
  await mend;
  for (const worker of workers) worker.signal("SIGTERM");
  await Promise.all(workers.map(({ ended }) => ended));
  const result = join(cwd, name);
  const left = filesBelow(result).filter((path) => /\.tmp$|\.attempts|\.lock$/.test(path));
  const outcome = {
    seconds: Math.round((performance.now() - began) / 1000),
    faults: happened,
    same: digestTree(result) === expected,
    twice: [...twice],
    left,
  };
  if (outcome.same) rmSync(result, { recursive: true, force: true });
  return outcome;
}

/** Notes which results are there; a result whose file is another one than before was published twice. */
function notePublished(result: string, published: Map<string, number>, twice: Set<string>): void {
  for (const [key, path] of objects === undefined ? resultsBelow(result) : resultObjects()) {
    const inode = statSync(path, { throwIfNoEntry: false })?.ino;
    if (inode === undefined) continue;
    const before = published.get(key);
    if (before !== undefined && before !== inode) twice.add(key);
    published.set(key, inode);
  }
}

/** Lists the files of results in a folder, by the keys of their tasks. */
function resultsBelow(result: string): readonly (readonly [string, string])[] {
  const tasks = join(result, "tasks");
  if (!existsSync(tasks)) return [];
  return readdirSync(tasks)
    .filter((name) => !name.startsWith("."))
    .map((key) => [key, join(tasks, key, "result.json")]);
}

/** Lists the files of objects that are results, by the names of the objects. */
function resultObjects(): readonly (readonly [string, string])[] {
  return filesBelow(join(folder, "storage", "objects")).flatMap((path) => {
    const [, key] = /^\{"key":"([^"]*\/result\.json)"/.exec(readBeginning(path)) ?? [];
    return key === undefined ? [] : [[key, path] as const];
  });
}

/** Reads the beginning of a file; nothing if it is gone. */
function readBeginning(path: string): string {
  try {
    return readFileSync(path, "latin1").slice(0, 500);
  } catch {
    return "";
  }
}

function countOf(list: readonly Fault[]): Readonly<Record<string, number>> {
  return Object.fromEntries(FAULTS.map((fault) => [fault, list.filter((one) => one === fault).length]));
}
