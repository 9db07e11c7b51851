import { resolve } from "node:path";
import { UsageError } from "@isthmus/core";

/** Files that a training writes. */
export interface TrainingFiles {
  /** File of the trained network, `*.safetensors`. */
  readonly checkpoint: string;
  /** File of the graph; undefined if the graph is read from a file. */
  readonly graph: string | undefined;
  /** File of the state from which an interrupted training goes on; removed at the end. */
  readonly state: string;
  /** File of the curvature along the training; undefined if it is not measured. */
  readonly measured: string | undefined;
}

/** Ending of the names of checkpoints. */
export const ENDING = ".safetensors";

/**
 * Returns the name of the state beside a checkpoint, or a folder, in the making: `a.state.safetensors` for
 * `a.safetensors`.
 */
export const nameState = (output: string): string => `${stemOf(output)}.state${ENDING}`;

/**
 * Returns the path of an output without the ending `.safetensors` and without slashes at its end, so that
 * files beside the output can be named after it.
 */
export function stemOf(output: string): string {
  const path = output.replace(/[\\/]+$/, "");
  return path.endsWith(ENDING) ? path.slice(0, -ENDING.length) : path;
}

/**
 * Returns a checkpoint in the making, and its state beside it.
 * @throws UsageError if the output is not named `*.safetensors`
 */
export function nameCheckpoint(output: string): Pick<TrainingFiles, "checkpoint" | "state"> {
  if (!output.endsWith(ENDING)) {
    throw new UsageError(`Cannot train as -o must name a file ending in ${ENDING}: it is "${output}"`);
  }
  return { checkpoint: output, state: nameState(output) };
}

/**
 * Returns the names of the files of a training, beside the checkpoint: `a.onnx` and
 * `a.state.safetensors` for `a.safetensors`, and `a.curvature.json` if curvature is measured.
 * @throws UsageError if the output is not named `*.safetensors`, or two files have one name
 */
export function nameTrainingFiles({
  output,
  saveGraph,
  graph,
  measure,
}: {
  readonly output: string;
  readonly saveGraph?: string | undefined;
  readonly graph?: string | undefined;
  readonly measure?: "curvature" | undefined;
}): TrainingFiles {
  const named = nameCheckpoint(output);
  const stem = output.slice(0, -ENDING.length);
  const files: TrainingFiles = {
    ...named,
    graph: saveGraph ?? (graph === undefined ? `${stem}.onnx` : undefined),
    measured: measure === undefined ? undefined : `${stem}.${measure}.json`,
  };
  const others = [files.checkpoint, files.state].map((path) => resolve(path));
  if (files.graph === undefined || !others.includes(resolve(files.graph))) return files;
  throw new UsageError(
    `Cannot train as the graph and the weights must go to different files: both to "${files.graph}"`,
  );
}
