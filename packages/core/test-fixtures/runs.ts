// Checkpoints of training runs for tests, made by tools/golden/training-runs.py.
import { readdirSync, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { inflateSync } from "node:zlib";
import { type ExpectedFile, fixture } from "./fixtures.ts";

/** One checkpoint: its files by path, and its tensors as the program that wrote it reads them. */
export interface TrainingRun {
  readonly files: Readonly<Record<string, Buffer>>;
  /** Packages that wrote it, with their versions. */
  readonly madeBy: string;
  readonly tensors: ExpectedFile["tensors"];
}

/** Names of all checkpoints. */
export const RUNS: readonly string[] = readdirSync(fixture("runs")).map((name) =>
  name.replace(".json.golden", ""),
);

/** Reads one checkpoint. */
export function trainingRun(name: string): TrainingRun {
  const { files, content, tensors, made_by } = JSON.parse(
    readFileSync(fixture(`runs/${name}.json.golden`), "utf8"),
  ) as {
    files: Record<string, number>;
    content: string;
    tensors: ExpectedFile["tensors"];
    made_by: string;
  };
  const bytes = inflateSync(Buffer.from(content, "base64"));
  let end = 0;
  const unpacked = Object.entries(files).map(([path, length]) => {
    end += length;
    return [path, bytes.subarray(end - length, end)] as const;
  });
  return { files: Object.fromEntries(unpacked), tensors, madeBy: made_by.replace(/\+\w+/, "") };
}

/** Writes files into a folder that is made for them, and returns the path that opens them. */
export async function layOut(folder: string, files: TrainingRun["files"]): Promise<string> {
  for (const [path, bytes] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), bytes);
  }
  const [only, ...others] = Object.keys(files);
  return only !== undefined && others.length === 0 ? join(folder, only) : folder;
}
