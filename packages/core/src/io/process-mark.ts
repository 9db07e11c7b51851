import { readFileSync } from "node:fs";
import { isProcessAlive } from "./is-process-alive.ts";

/** Start of a process that the system does not tell. */
const UNKNOWN = "0";

/**
 * Fields of `/proc/<pid>/stat` after the name of the program: the start of the process is the 22nd of all.
 */
const START_FIELD = 19;

const MARK = /^(\d+)-(\d+)$/;

/**
 * Names this process in files that others may find after it was killed: `<pid>-<start>`.
 *
 * Numbers of processes are used again, in a container even every time, so that a number alone cannot tell
 * whether the process that wrote it is the one running now. The start, in ticks since the machine was
 * started, can. Only Linux tells it; elsewhere it is 0, and a file may then stay for as long as another
 * process has its number.
 */
export function processMark(): string {
  return `${process.pid}-${startOf(process.pid)}`;
}

/** Tells whether the process that a mark names is still running; true where the system does not say. */
export function isMarkAlive(mark: string): boolean {
  const [, pid = "", start] = MARK.exec(mark) ?? [];
  if (!isProcessAlive(Number(pid))) return false;
  const now = startOf(Number(pid));
  return start === UNKNOWN || now === UNKNOWN || now === start;
}

function startOf(pid: number): string {
  try {
    // Where /proc shows the processes of another container, numbers in it are not ours.
    if (!readFileSync("/proc/self/stat", "latin1").startsWith(`${process.pid} `)) return UNKNOWN;
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The name of the program is in brackets and may hold anything, brackets and spaces too.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[START_FIELD] ?? UNKNOWN;
  } catch {
    return UNKNOWN;
  }
}
