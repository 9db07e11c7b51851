import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { digestFile } from "@isthmus/core";
import { listDataFiles, moveDataFiles } from "@isthmus/data";
import type { GatheredFiles, UserFile } from "@isthmus/tasks";
import type { QueueTasks } from "./with-queue.ts";

/** Names of the files of a tokenizer. */
const TOKENIZER = new Set(["tokenizer.json", "tokenizer_config.json"]);

/**
 * Returns gathered files as inputs of tasks, with their digests, which take a while for large networks.
 * @throws the reason of the signal if it is aborted meanwhile
 */
export async function describeGathered(
  files: GatheredFiles,
  { signal, onStep }: Pick<QueueTasks, "signal" | "onStep">,
): Promise<readonly UserFile[]> {
  const all = files.list();
  const described: UserFile[] = [];
  for (const { path, name } of all) {
    onStep("Hashing files for workers", described.length / all.length);
    described.push({ path, digest: await digestFile(path, { signal }), name });
  }
  // A file that is not in the storage yet is sent there with the first task that reads it.
  if (files.isElsewhere) onStep("Sending files to workers, and waiting for them");
  return described;
}

/**
 * Adds the files of a data set for tasks that run elsewhere; other tasks find them by their paths.
 * @returns the name by which tasks find the data set
 */
export async function gatherData(name: string, files: GatheredFiles): Promise<string> {
  if (!files.isElsewhere) return name;
  for (const { path, files: read } of await listDataFiles(name)) {
    files.place(path);
    for (const file of read) files.add(file);
  }
  return moveDataFiles(name, (path) => files.place(path));
}

/**
 * Adds the files of a tokenizer for tasks that run elsewhere.
 * @returns the path by which tasks find its folder
 */
export async function gatherTokenizer(folder: string, files: GatheredFiles): Promise<string> {
  if (!files.isElsewhere) return folder;
  const there = files.place(folder);
  for (const name of await readdir(folder)) if (TOKENIZER.has(name)) files.add(join(folder, name));
  return there;
}
