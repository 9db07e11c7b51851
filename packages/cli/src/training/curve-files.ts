import { join } from "node:path";
import { UsageError } from "@isthmus/core";
import { ENDING, nameState } from "./training-files.ts";

/** Files that the training of a curve writes. */
export interface CurveFiles {
  /** Of every bend, in order. */
  readonly bends: readonly string[];
  /** Folder to be made for them; missing where the only bend is named. */
  readonly folder?: string;
  /** What an interrupted training goes on from; removed in the end. */
  readonly state: string;
}

/**
 * Names the files of a curve: a file ending in `.safetensors` holds the only bend; else `-o` is a folder with `bend-1.safetensors`
 * and so on.
 * @throws UsageError if several bends are to go to one file
 */
export function nameCurveFiles(output: string, bends: number): CurveFiles {
  if (output.endsWith(ENDING)) {
    if (bends === 1) return { bends: [output], state: nameState(output) };
    throw new UsageError(
      `Cannot write ${bends} bends to "${output}" as each needs a file: let -o name a folder`,
    );
  }
  return {
    bends: Array.from({ length: bends }, (_, k) => join(output, `bend-${k + 1}${ENDING}`)),
    folder: output,
    state: nameState(join(output, `curve${ENDING}`)),
  };
}
