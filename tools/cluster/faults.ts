import { closeSync, existsSync, openSync, rmSync, statfsSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { at } from "@isthmus/core";
import type { StartedServer } from "../../packages/distributed/test/start-process.ts";
import { childrenOf } from "./processes.ts";
import type { RunningCommand } from "./program.ts";
import type { ToolQueue } from "./queue-servers.ts";

/** What a fault can happen to. */
export interface Victims {
  readonly queue: ToolQueue;
  /** Server of the objects of the storage; undefined for a folder. */
  readonly objects: StartedServer | undefined;
  /** Folder on a disk of its own, which can be filled; undefined if it has none. */
  readonly disk: string | undefined;
  /** File that sets the clock of all commands, as libfaketime reads it; undefined without libfaketime. */
  readonly clock: string | undefined;
  /** Milliseconds of a lease. */
  readonly lease: number;
  /** Workers that are alive. */
  workers(): readonly RunningCommand[];
  /** The command that waits for the study. */
  waiting(): RunningCommand;
}

export const FAULTS = [
  "kill worker",
  "kill task",
  "stop worker",
  "kill waiting",
  "restart queue",
  "restart storage",
  "fill disk",
  "set clock",
] as const;
export type Fault = (typeof FAULTS)[number];

/**
 * Makes a fault happen, and mends what has to be mended before anything goes on.
 * @param pick - a number in [0, 1) that chooses the victim
 */
export async function happen(fault: Fault, victims: Victims, pick: number): Promise<void> {
  const workers = victims.workers();
  const worker = workers[Math.floor(pick * workers.length)];
  if (fault === "kill worker") worker?.signal("SIGKILL");
  else if (fault === "kill task" && worker !== undefined) killTask(worker);
  else if (fault === "kill waiting") victims.waiting().signal("SIGKILL");
  else if (fault === "set clock" && victims.clock !== undefined)
    writeFileSync(victims.clock, at(OFFSETS, Math.floor(pick * OFFSETS.length), "offset"));
  else if (fault === "fill disk" && victims.disk !== undefined) await fillDisk(victims.disk);
  else if (fault === "stop worker" && worker !== undefined) {
    worker.signal("SIGSTOP");
    await setTimeout(1.5 * victims.lease);
    worker.signal("SIGCONT");
  } else await restart(fault === "restart queue" ? victims.queue.server : victims.objects, pick);
}

/** Kills a server, and starts it again a moment later. */
async function restart(server: StartedServer | undefined, pick: number): Promise<void> {
  await server?.kill();
  await setTimeout(1000 * pick);
  await server?.restart();
}

/** Says whether a fault can happen here. */
export function canHappen(fault: Fault, { queue, objects, disk, clock }: Victims): boolean {
  if (fault === "restart queue") return queue.server !== undefined;
  if (fault === "restart storage") return objects !== undefined;
  if (fault === "set clock") return clock !== undefined;
  return fault !== "fill disk" || disk !== undefined;
}

/** Path of libfaketime on Debian. */
const LIBRARY = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";
/** Times to which clocks are set, from the right one. */
const OFFSETS = ["+0", "+5h", "-3h", "+40m", "-1d"] as const;

/** Makes the file that sets the clocks of commands, and their environment; undefined without libfaketime. */
export function startClock(path: string): Readonly<Record<string, string>> | undefined {
  if (!existsSync(LIBRARY)) return undefined;
  writeFileSync(path, OFFSETS[0]);
  // Files keep the times of the system, as on a disk of another machine, and so does the clock that nobody sets.
  return {
    LD_PRELOAD: LIBRARY,
    FAKETIME_TIMESTAMP_FILE: path,
    FAKETIME_NO_CACHE: "1",
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
    DONT_FAKE_MONOTONIC: "1",
    NO_FAKE_STAT: "1",
  };
}

/** Kills the process of a task of a worker, as a system does that runs out of memory. */
function killTask({ child }: RunningCommand): void {
  const [first] = child.pid === undefined ? [] : childrenOf(child.pid);
  if (first !== undefined) process.kill(first, "SIGKILL");
}

/** Fills a disk for two seconds. */
async function fillDisk(folder: string): Promise<void> {
  const path = join(folder, "filling");
  const file = openSync(path, "w");
  try {
    const block = Buffer.alloc(2 ** 20);
    const { bavail, bsize } = statfsSync(folder);
    for (let left = bavail * bsize; left > 0; left -= block.length) {
      try {
        writeSync(file, block, 0, Math.min(block.length, left));
      } catch {
        break;
      }
    }
    await setTimeout(2000);
  } finally {
    closeSync(file);
    rmSync(path, { force: true });
  }
}
