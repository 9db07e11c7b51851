import { stat } from "node:fs/promises";
import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { type Checkpoint, InputError, saveFile, UsageError } from "@isthmus/core";
import {
  type CurvatureHistory,
  TRACK_CURVATURE_DEFAULTS,
  type TrainingUnit,
  trackCurvature,
} from "@isthmus/curvature";
import type { Architecture, DataSet } from "@isthmus/graph";
import { readResult } from "@isthmus/report";
import type { TrainOptions } from "@isthmus/training";
import { InvalidArgumentError } from "commander";
import { formatJson } from "../format/format-json.ts";
import { HELP_GROUPS } from "../options/help-groups.ts";
import { parseCount } from "../options/parse-values.ts";
import { withProvenance } from "../result/result-provenance.ts";
import type { Context } from "../verb.ts";
import type { TrainingFiles } from "./training-files.ts";

/** Interval between two measurements, in epochs or in steps. */
interface MeasureEvery {
  readonly every: number;
  readonly unit: TrainingUnit;
}

/** Options of the measurement along a training. */
export interface MeasureFlags {
  /** Measurement along the training: `curvature`. @defaultValue nothing is measured */
  readonly measure?: "curvature" | undefined;
  /** Epochs or steps from one measurement to the next; only with `measure`. @defaultValue 1 epoch */
  readonly measureEvery?: MeasureEvery | undefined;
  /** Number of the first training examples to measure on; only with `measure`. @defaultValue 500 */
  readonly measureExamples?: number | undefined;
}

const DEFAULTS = TRACK_CURVATURE_DEFAULTS;

/** Adds the options of the measurement along a training. */
export function addMeasureOptions<T extends CommandUnknownOpts>(command: T): T {
  command
    .optionsGroup(HELP_GROUPS.measured)
    .addOption(
      new Option(
        "--measure <what>",
        "gradient, largest eigenvalue and trace of the Hessian along the training, written beside the output as .curvature.json",
      ).choices(["curvature"]),
    )
    .option(
      "--measure-every <n>",
      `epochs from one measurement to the next, or steps, for example 50steps (default: ${DEFAULTS.every})`,
      parseEvery,
    )
    .option(
      "--measure-examples <n>",
      `measure on the first n training examples (default: ${DEFAULTS.examples})`,
      parseCount(1),
    );
  return command;
}

/** Parses a number of epochs or of steps: `2`, `2epochs`, `50steps`. */
function parseEvery(text: string): MeasureEvery {
  const [, digits, unit = "epoch"] = /^(\d+) ?(?:(epoch|step)s?)?$/.exec(text) ?? [];
  const every = Number(digits);
  if (Number.isSafeInteger(every) && every > 0) return { every, unit: unit as TrainingUnit };
  throw new InvalidArgumentError(
    "It must be a number of epochs of at least 1, or of steps, such as 50steps.",
  );
}

/**
 * Checks that options of the measurement are given only with the option that they belong to.
 * @throws UsageError if one is not
 */
export function assertMeasure({ measure, measureEvery, measureExamples }: MeasureFlags): void {
  if (measure !== undefined || (measureEvery === undefined && measureExamples === undefined)) return;
  const flag = measureEvery === undefined ? "--measure-examples" : "--measure-every";
  throw new UsageError(
    `Cannot train with ${flag} alone as it says how curvature is measured: add --measure curvature, or leave out ${flag}`,
  );
}

/** Measurement along a training that runs. */
export interface TrainingMeasurement {
  /** Measures the weights before training, and returns the options by which `train` measures further on. */
  readonly begin: (weights: Checkpoint) => Promise<Pick<TrainOptions, "onEpoch" | "collect">>;
  /** Returns the measurements so far, with the measurements of an earlier, interrupted run. */
  readonly history: () => CurvatureHistory;
}

/** Training that a measurement belongs to: its options and files. */
interface MeasuredTraining {
  readonly flags: MeasureFlags;
  readonly files: TrainingFiles;
  readonly resume: boolean;
  /** Steps of the whole training. */
  readonly steps: number;
}

/**
 * Opens the measurement of a training; undefined if none is asked for. It goes on from an earlier file only
 * if the training itself goes on.
 * @throws InputError if that file holds something else
 */
export async function openMeasurement(
  { graph, engine }: Architecture,
  data: DataSet,
  { flags, files, resume, steps }: MeasuredTraining,
  { signal, progress, provenance }: Context,
): Promise<TrainingMeasurement | undefined> {
  const { measured, state } = files;
  if (measured === undefined) return undefined;
  const { measureEvery = DEFAULTS, measureExamples: examples = DEFAULTS.examples } = flags;
  const { unit, every } = measureEvery;
  const goesOn = resume && (await exists(state)) && (await exists(measured));
  const points = goesOn ? (await readHistory(measured, { unit, every, examples, data })).points : [];
  const tracker = trackCurvature({ graph, engine }, data, { unit, every, examples, points, signal });
  const measure = async (place: number, weights: Checkpoint): Promise<void> => {
    progress("Measuring curvature");
    if (!(await tracker.measure(place, weights))) return;
    await saveFile(measured, formatJson(await withProvenance(tracker.history(), provenance)), []);
  };
  return {
    history: tracker.history,
    async begin(weights) {
      await measure(0, weights);
      if (unit === "epoch") return { onEpoch: measure };
      const measuredAt = Array.from({ length: Math.floor(steps / every) }, (_, i) => (i + 1) * every);
      return { collect: { steps: measuredAt, take: measure } };
    },
  };
}

const exists = async (path: string): Promise<boolean> =>
  (await stat(path).catch(() => undefined)) !== undefined;

async function readHistory(
  path: string,
  { unit, every, examples, data }: MeasureEvery & { readonly examples: number; readonly data: DataSet },
): Promise<CurvatureHistory> {
  const result = await readResult(path);
  const count = Math.min(examples, data.size);
  const isHistory = result.kind === "curvature-history" && result.unit === unit;
  if (isHistory && result.every === every && result.examples === count) return result;
  throw new InputError(
    `Cannot go on measuring curvature from "${path}" as it must be measured every ${every} ${unit}s on ${count} examples: it is something else; choose the same options, or remove it to leave out what was measured before`,
    { input: path },
  );
}
