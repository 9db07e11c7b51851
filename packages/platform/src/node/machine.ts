import { AsyncLocalStorage } from "node:async_hooks";
import { readFileSync } from "node:fs";
import * as os from "node:os";
import { setTimeout } from "node:timers/promises";
import type { Process, Surroundings } from "../port.ts";

/** The process in which the program runs. */
export const process: Process = globalThis.process;

/** Returns the number of tasks that this machine can run at once. */
export const availableParallelism: () => number = os.availableParallelism;

/** Returns the folder of the user. */
export const homedir: () => string = os.homedir;

/** Returns the memory of the machine in bytes. */
export const totalmem: () => number = os.totalmem;

/** Waits some milliseconds. */
export const delay: (milliseconds: number) => Promise<unknown> = setTimeout;

/** Lets events that wait be handled, such as the request to stop. */
export const handleEvents: () => Promise<unknown> = () => new Promise((resume) => setImmediate(resume));

const PEAK = /^VmHWM:\s*(\d+) kB$/m;

/**
 * Returns the peak memory of this process since its program started, in bytes.
 *
 * On Linux it is read from `/proc/self/status`, as `process.resourceUsage()` may return the peak of the
 * parent process there, which a new program inherits. Other systems offer only the latter.
 */
export function peakMemory(): number {
  const kilobytes = PEAK.exec(aboutProcess("status"))?.[1];
  return 1024 * (kilobytes === undefined ? globalThis.process.resourceUsage().maxRSS : Number(kilobytes));
}

const OPEN_FILES = /^Max open files +(\d+)/m;

/**
 * Returns the number of files that this process may have open at once, which only Linux tells; undefined
 * elsewhere.
 */
export function openFilesLimit(): number | undefined {
  const most = OPEN_FILES.exec(aboutProcess("limits"))?.[1];
  return most === undefined ? undefined : Number(most);
}

/** Returns a text of Linux about this process; empty elsewhere. */
function aboutProcess(name: string): string {
  try {
    return readFileSync(`/proc/self/${name}`, "utf8");
  } catch {
    return "";
  }
}

/** Makes a value that the functions called by a function can read. */
export function createSurroundings<T>(): Surroundings<T> {
  return new AsyncLocalStorage<T>();
}
