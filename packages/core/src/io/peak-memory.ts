import { readFileSync } from "node:fs";

const PEAK = /^VmHWM:\s*(\d+) kB$/m;

/**
 * Returns the peak memory of this process since its program started, in bytes.
 *
 * On Linux it is read from `/proc/self/status`, as `process.resourceUsage()` may return the peak of the
 * parent process there, which a new program inherits. Other systems offer only the latter.
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
