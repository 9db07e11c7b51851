import { join } from "node:path";
import { type Checkpoint, openCheckpoint } from "@isthmus/core";
import { afterAll } from "vitest";

/**
 * Returns a function that opens checkpoints of a folder, all of which are closed after the tests of the
 * calling file.
 */
export function openFilesOf(folder: string): (name: string) => Promise<Checkpoint> {
  const opened: Checkpoint[] = [];
  afterAll(() => Promise.all(opened.map((checkpoint) => checkpoint.close())));
  return async (name) => {
    const checkpoint = await openCheckpoint(join(folder, name));
    opened.push(checkpoint);
    return checkpoint;
  };
}
