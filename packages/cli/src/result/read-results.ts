import { type ResultOfFile, readResult } from "@isthmus/report";

/** Reads results, each with the name of its file. */
export async function readResults(files: readonly string[]): Promise<ResultOfFile[]> {
  const results: ResultOfFile[] = [];
  for (const file of files) results.push({ file, result: await readResult(file) });
  return results;
}
