import type { FileHandle } from "node:fs/promises";
import { limitAtOnce } from "@isthmus/tasks";

/** Writing of files from memory to the disk, which leaves threads of Node.js to other work on files. */
export interface Syncs {
  /**
   * Lets the disk begin with the bytes that a file has so far, unless it is busy with others: systems wait
   * for seconds before they begin, which add to the time of the round. Failures make `finish()` fail.
   */
  begin(file: FileHandle): void;
  /** Waits until all bytes of a file are on the disk. */
  finish(file: FileHandle): Promise<void>;
}

/** Numbers of files that are finished at once, and that are begun at once: Node.js has 4 threads. */
const [FINISHED, BEGUN] = [2, 1];

/** Begins with no files. */
export function createSyncs(): Syncs {
  const atOnce = limitAtOnce(FINISHED);
  let begun = 0;
  return {
    begin(file) {
      if (begun >= BEGUN) return;
      begun++;
      const end = (): void => {
        begun--;
      };
      file.datasync().then(end, end);
    },
    finish: (file) => atOnce(() => file.sync()),
  };
}
