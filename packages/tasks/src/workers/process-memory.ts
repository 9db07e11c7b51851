import { process, readFile } from "@isthmus/platform";

/** Milliseconds between two checks of the memory of a process. */
const LOOK_MS = 500;

/**
 * Watches the memory of a process on Linux; does nothing on other systems.
 * @param limit - limit in bytes; undefined for no limit
 * @param onExceeded - called once, with the reason, when the process exceeds the limit
 */
export function watchMemory(
  pid: number | undefined,
  limit: number | undefined,
  onExceeded: (reason: string) => void,
): { stop(): void } {
  if (pid === undefined || limit === undefined || process.platform !== "linux") return { stop() {} };
  const look = async (): Promise<void> => {
    const bytes = await residentBytes(pid);
    if (bytes === undefined || bytes <= limit) return;
    clearInterval(timer);
    onExceeded(`it took ${formatBytes(bytes)} of memory, and may take ${formatBytes(limit)}`);
  };
  const timer = setInterval(() => void look(), LOOK_MS);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}

/** Returns the resident memory of a process in bytes; undefined if the process has ended. */
async function residentBytes(pid: number): Promise<number | undefined> {
  try {
    const status = await readFile(new URL(`file:///proc/${pid}/status`), "latin1");
    const kilobytes = /^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  } catch {
    return undefined;
  }
}

const formatBytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`;
