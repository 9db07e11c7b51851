import { stat } from "node:fs/promises";
import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { type Checkpoint, InputError, saveFile, UsageError } from "@isthmus/core";
import { type CurvatureHistory, TRACK_CURVATURE_DEFAULTS, trackCurvature } from "@isthmus/curvature";
import type { Architecture, DataSet } from "@isthmus/graph";
import { readResult } from "@isthmus/report";
import { formatJson } from "../format/format-json.ts";
import { parseCount } from "../options/parse-values.ts";
import { withProvenance } from "../result/result-provenance.ts";
import type { Context } from "../verb.ts";
import type { TrainingFiles } from "./training-files.ts";

/** Options on what is measured along a training. */
export interface MeasureFlags {
  readonly measure?: "curvature" | undefined;
  readonly measureEvery?: number | undefined;
  readonly measureExamples?: number | undefined;
}

const DEFAULTS = TRACK_CURVATURE_DEFAULTS;

/** Adds the options on what is measured along a training. */
export function addMeasureOptions<T extends CommandUnknownOpts>(command: T): T {
  command
    .optionsGroup("What to measure:")
    .addOption(
      new Option(
        "--measure <what>",
        "gradient, largest eigenvalue and trace of the Hessian along the training, written beside the output as .curvature.json",
      ).choices(["curvature"]),
    )
    .option(
      "--measure-every <n>",
      `epochs from one measurement to the next (default: ${DEFAULTS.every})`,
      parseCount(1),
    )
    .option(
      "--measure-examples <n>",
      `measure on the first n training examples (default: ${DEFAULTS.examples})`,
      parseCount(1),
    );
  return command;
}

/**
 * Checks that options on measurements come with what they belong to.
 * @throws UsageError if not
 */
export function assertMeasure({ measure, measureEvery, measureExamples }: MeasureFlags): void {
  if (measure !== undefined || (measureEvery === undefined && measureExamples === undefined)) return;
  const flag = measureEvery === undefined ? "--measure-examples" : "--measure-every";
  throw new UsageError(
    `Cannot train with ${flag} alone as it says how curvature is measured: add --measure curvature, or leave out ${flag}`,
  );
}

/** What is measured along a training that runs. */
export interface TrainingMeasurement {
  /** Measures the weights after some epochs, and writes the history. */
  readonly onEpoch: (epochs: number, weights: Checkpoint) => Promise<void>;
  readonly history: () => CurvatureHistory;
}

/**
 * Opens the measurement of a training; undefined if none is asked for. It goes on from an earlier file only
 * if the training itself goes on.
 * @throws InputError if that file holds something else
 */
export async function openMeasurement(
  { graph, engine }: Architecture,
  data: DataSet,
  {
    flags,
    files,
    resume,
  }: { readonly flags: MeasureFlags; readonly files: TrainingFiles; readonly resume: boolean },
  { signal, progress, provenance }: Context,
): Promise<TrainingMeasurement | undefined> {
  const { measured, state } = files;
  if (measured === undefined) return undefined;
  const { measureEvery: every = DEFAULTS.every, measureExamples: examples = DEFAULTS.examples } = flags;
  const goesOn = resume && (await exists(state)) && (await exists(measured));
  const points = goesOn ? (await readHistory(measured, { every, examples, data })).points : [];
  const tracker = trackCurvature({ graph, engine }, data, { every, examples, points, signal });
  return {
    history: tracker.history,
    async onEpoch(epochs, weights) {
      progress("Measuring curvature");
      if (!(await tracker.measure(epochs, weights))) return;
      await saveFile(measured, formatJson(withProvenance(tracker.history(), provenance)), []);
    },
  };
}

const exists = async (path: string): Promise<boolean> =>
  (await stat(path).catch(() => undefined)) !== undefined;

async function readHistory(
  path: string,
  { every, examples, data }: { readonly every: number; readonly examples: number; readonly data: DataSet },
): Promise<CurvatureHistory> {
  const result = await readResult(path);
  const count = Math.min(examples, data.size);
  if (result.kind === "curvature-history" && result.every === every && result.examples === count)
    return result;
  throw new InputError(
    `Cannot go on measuring curvature from "${path}" as it must be measured every ${every} epochs on ${count} examples: it is something else; choose the same options, or remove it to leave out what was measured before`,
    { input: path },
  );
}
