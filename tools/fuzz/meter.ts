import { closeSync, openSync, readdirSync, writeSync } from "node:fs";
import { peakMemory } from "@isthmus/core";

/** What reading one input took. */
export interface Reading {
  /** By the clock, in milliseconds. */
  readonly wallMs: number;
  /** Of all threads of the process, in milliseconds. */
  readonly cpuMs: number;
  /** Most memory in use meanwhile, beyond that in use before, in bytes. */
  readonly grownBytes: number;
}

/** Measures what happens between a call of `begin` and the call of what it returns. */
export interface Meter {
  begin(): () => Reading;
  close(): void;
}

/**
 * Makes a meter of time and memory of this process.
 *
 * The system keeps the most memory a process ever had. On Linux that mark can be taken back to what is in use
 * now, so that the peak of every single input is seen; elsewhere only peaks above all before are.
 */
export function createMeter(): Meter {
  const marks = openMarks();
  return {
    begin() {
      if (marks !== undefined) writeSync(marks, "5");
      const before = process.memoryUsage.rss();
      const mark = peakMemory();
      const cpu = process.cpuUsage();
      const began = performance.now();
      return () => {
        const wallMs = performance.now() - began;
        const { user, system } = process.cpuUsage(cpu);
        const most = peakMemory();
        const grownBytes = most > mark || marks !== undefined ? Math.max(0, most - before) : 0;
        return { wallMs, cpuMs: (user + system) / 1000, grownBytes };
      };
    },
    close() {
      if (marks !== undefined) closeSync(marks);
    },
  };
}

function openMarks(): number | undefined {
  try {
    return openSync("/proc/self/clear_refs", "w");
  } catch {
    return undefined;
  }
}

/** Counts the files and sockets that the process has open; 0 where the system does not say. */
export function countDescriptors(): number {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    return 0;
  }
}
