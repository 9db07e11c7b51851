import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { SaveMergeResult } from "@isthmus/merging";
import type { MergeChildRequest } from "./merge-child.ts";

/** What a process that saves a merge has printed. */
export interface MergeChildReply {
  readonly result?: SaveMergeResult;
  readonly error?: string;
  readonly notes: readonly string[];
}

const CHILD = fileURLToPath(new URL("./merge-child.ts", import.meta.url));

/** Starts a process that saves a merge, from sources. */
export function startMergeChild(request: MergeChildRequest): ChildProcess {
  const loader = ["--import", "tsx", "--conditions=@isthmus/source", "--no-warnings"];
  return spawn(process.execPath, [...loader, CHILD, JSON.stringify(request)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
}

/** Saves a merge in a process of its own, and waits for its end. */
export async function runMergeChild(request: MergeChildRequest): Promise<MergeChildReply> {
  const child = startMergeChild(request);
  if (child.stdout === null) throw new Error("no output of the process");
  const [output] = await Promise.all([text(child.stdout), once(child, "exit")]);
  return JSON.parse(output);
}
