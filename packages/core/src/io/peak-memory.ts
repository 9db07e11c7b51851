import { readFileSync } from "node:fs";

const PEAK = /^VmHWM:\s*(\d+) kB$/m;

/**
 * Returns the most memory that this process has had in use since its program started, in bytes.
 *
 * On Linux it is read from `/proc/self/status`. What `process.resourceUsage()` returns there may be the peak
 * of the process that started this one, which a new program inherits; elsewhere there is nothing else.
 */
export function peakMemory(): number {
  const kilobytes = PEAK.exec(processStatus())?.[1];
  return 1024 * (kilobytes === undefined ? process.resourceUsage().maxRSS : Number(kilobytes));
}

function processStatus(): string {
  try {
    return readFileSync("/proc/self/status", "utf8");
  } catch {
    return "";
  }
}
