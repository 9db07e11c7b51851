import { resolve } from "node:path";
import { type Checkpoint, openCheckpoint } from "@isthmus/core";
import type { Terminal } from "../terminal/terminal.ts";

/** Notes on standard error that a checkpoint is named twice, which is seldom meant. */
export function noteTwice(paths: readonly string[], { note }: Pick<Terminal, "note">): void {
  const seen = new Set<string>();
  const twice = paths.find((path) => seen.size === seen.add(resolve(path)).size);
  if (twice !== undefined)
    note(`"${twice}" is named twice: a network combined with itself is the same network.`);
}

/** Opened checkpoints, one for every path. */
type Checkpoints<P extends readonly string[]> = { readonly [I in keyof P]: Checkpoint };

/** Opens checkpoints, passes them to `work` in the same order, and closes them whatever happens. */
export async function withCheckpoints<P extends readonly string[], T>(
  paths: P,
  work: (checkpoints: Checkpoints<P>) => Promise<T>,
): Promise<T> {
  const open: Checkpoint[] = [];
  try {
    for (const path of paths) open.push(await openCheckpoint(path));
    return await work(open as Checkpoints<P>);
  } finally {
    for (const checkpoint of open) await checkpoint.close();
  }
}
