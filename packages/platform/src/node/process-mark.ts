import { readFileSync } from "node:fs";

/** Start of a process if the system does not report it. */
const UNKNOWN = "0";

/**
 * Indices of the state and of the start of a process among the fields of `/proc/<pid>/stat` after the name of
 * the program; they are the 3rd and the 22nd of all fields.
 */
const STATE_FIELD = 0;
const START_FIELD = 19;

/** State of a process that has ended, but whose parent has not collected it yet. */
const ZOMBIE = "Z";

const MARK = /^(\d+)-(\d+)$/;

/**
 * Returns the mark of this process, `<pid>-<start>`, for files that other processes may find after this one
 * was killed.
 *
 * Process ids are reused, in a container even every time, so that an id alone does not identify a process.
 * Together with the start of the process, in ticks since the machine was started, it does. Only Linux
 * provides the start; elsewhere it is 0, and a file may then be kept for as long as another process has the
 * id.
 */
export function processMark(): string {
  return `${process.pid}-${startOf(process.pid)}`;
}

/**
 * Checks whether the process that left a mark, made by `processMark`, is still running; returns true if the
 * id in the mark is in use and the start of the process is unknown.
 */
export async function isMarkAlive(mark: string): Promise<boolean> {
  const [, pid = "", start] = MARK.exec(mark) ?? [];
  if (!isProcessAlive(Number(pid)) || fieldsOf(Number(pid))[STATE_FIELD] === ZOMBIE) return false;
  const now = startOf(Number(pid));
  return start === UNKNOWN || now === UNKNOWN || now === start;
}

/**
 * Checks whether a process of this machine is running, whoever owns it; false for a number that is not a
 * process id.
 */
function isProcessAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function startOf(pid: number): string {
  return fieldsOf(pid)[START_FIELD] ?? UNKNOWN;
}

/**
 * Returns the fields of `/proc/<pid>/stat` after the name of the program; empty if the file does not exist.
 */
function fieldsOf(pid: number): readonly string[] {
  try {
    // If /proc shows the processes of another container, its ids differ from the ids here.
    if (!readFileSync("/proc/self/stat", "latin1").startsWith(`${process.pid} `)) return [];
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The name of the program is in brackets and may contain anything, including brackets and spaces.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    return [];
  }
}
