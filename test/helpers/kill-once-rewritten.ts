import type { ChildProcess } from "node:child_process";
import { existsSync, statSync } from "node:fs";

/** Kills the command without a chance to clean up, as soon as it has written a file for the second time. */
export function killOnceRewritten(path: string): (child: ChildProcess) => void {
  return (child) => {
    const written = new Set<number>();
    const watch = setInterval(() => {
      if (existsSync(path)) written.add(statSync(path).ino);
      if (child.exitCode === null && written.size < 2) return;
      clearInterval(watch);
      child.kill("SIGKILL");
    }, 1);
  };
}
