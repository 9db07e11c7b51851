import { readFileSync } from "node:fs";

/** Ticks of the clock in which Linux counts times of processes. */
const TICKS_A_SECOND = 100;

/** Adds up the times of a process, of its children that are alive, and of children it has waited for. */
export function processorSeconds(pid: number): number {
  let ticks = 0;
  for (const process of familyOf(pid)) {
    const times = process.fields.slice(11, process.pid === pid ? 15 : 13);
    ticks += times.reduce((sum, one) => sum + Number(one), 0);
  }
  return ticks / TICKS_A_SECOND;
}

/** Adds up the bytes of memory of a process and its children; what they share counts once. */
export function memoryBytes(pid: number): number {
  let kilobytes = 0;
  for (const process of familyOf(pid)) {
    const text = readProcess(process.pid, "smaps_rollup");
    const size = /^Pss: +(\d+) kB$/m.exec(text ?? "")?.[1];
    if (size !== undefined) kilobytes += Number(size);
  }
  return kilobytes * 1024;
}

/** A process as Linux describes it: after its name come its state, its parent, and from the twelfth on its times. */
interface LinuxProcess {
  readonly pid: number;
  readonly fields: readonly string[];
}

/** Lists a process and its children, as far as they have not ended. */
function familyOf(pid: number): readonly LinuxProcess[] {
  return [pid, ...childrenOf(pid)].flatMap((one) => {
    // The name, in brackets, may hold spaces and brackets.
    const text = readProcess(one, "stat")?.replace(/^.*\) /s, "");
    return text === undefined ? [] : [{ pid: one, fields: text.split(" ") }];
  });
}

/** Lists the children of a process; none if it has ended. */
export function childrenOf(pid: number): readonly number[] {
  const text = readProcess(pid, `task/${pid}/children`) ?? "";
  return text.split(/\s+/).filter(Boolean).map(Number);
}

/** Reads what Linux says of a process; undefined if it has ended, or ends meanwhile. */
function readProcess(pid: number, name: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "utf8");
  } catch {
    return undefined;
  }
}
