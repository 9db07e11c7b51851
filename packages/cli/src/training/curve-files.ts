import { join } from "node:path";
import { UsageError } from "@isthmus/core";
import { ENDING, nameState } from "./training-files.ts";

/** Files that the training of a curve writes. */
export interface CurveFiles {
  /** The file of every bend, in order. */
  readonly bends: readonly string[];
  /** The folder to be created for them; missing if the only bend is named. */
  readonly folder?: string;
  /** The state that an interrupted training goes on from; removed at the end. */
  readonly state: string;
}

/**
 * Returns the names of the files of a curve: an output ending in `.safetensors` is the file of the only
 * bend; else it is a folder with `bend-1.safetensors` and so on.
 * @throws UsageError if one file is named for several bends
 */
export function nameCurveFiles(output: string, bends: number): CurveFiles {
  if (output.endsWith(ENDING)) {
    if (bends === 1) return { bends: [output], state: nameState(output) };
    throw new UsageError(
      `Cannot write ${bends} bends to "${output}" as each needs a file of its own: it is one file; let -o name a folder`,
    );
  }
  return {
    bends: Array.from({ length: bends }, (_, k) => join(output, `bend-${k + 1}${ENDING}`)),
    folder: output,
    state: nameState(join(output, `curve${ENDING}`)),
  };
}
