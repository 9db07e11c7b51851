import { at, type Checkpoint, resolveFields } from "@isthmus/core";
import { type DataSet, lossFields, scoreBy } from "@isthmus/graph";
import { createPath, type Path } from "@isthmus/interpolation";
import type { SymmetricArchitecture } from "@isthmus/symmetry";
import type { UnitChoice } from "../dropout-stability/choose-units.ts";
import type { Rescaling } from "../dropout-stability/fit-factor.ts";
import { measurePath } from "../path/measure-path.ts";
import type { MeasuredPath, PathsResult } from "../path/path-result.ts";
import { buildDropoutPath, type DropoutPath } from "./build-dropout-path.ts";
import {
  BUILD_RUN_DEFAULTS,
  type BuildDropoutPathOptions,
  DROPOUT_PATH_FIELDS,
  type DropoutPathChoice,
} from "./dropout-path-options.ts";

/** Progress of {@link measureDropoutPath}. */
export interface DropoutPathProgress {
  /** Share of the work that is done, in `[0, 1]`. */
  readonly done: number;
  /** Work under way: the construction of the path, or the evaluation of networks on it. */
  readonly stage: "build" | "measure";
}

/** Path to measure, with its name in the result. */
export interface NamedPath {
  /** Name of the path in the result. */
  readonly name: string;
  /** Path between the same two networks. */
  readonly path: Path;
}

/** Options of {@link measureDropoutPath}. */
export interface MeasureDropoutPathOptions
  extends DropoutPathChoice,
    Pick<BuildDropoutPathOptions, "loss" | "statisticsData" | "signal"> {
  /** Other paths to measure at as many places, such as the line to an aligned network. @defaultValue none */
  readonly beside?: readonly NamedPath[];
  /** Callback for the progress, called after every trial and every measured place. @defaultValue none */
  readonly onProgress?: ((progress: DropoutPathProgress) => void) | undefined;
}

/** Loss and error on a path through dropout-stable networks, beside the straight line and other paths. */
export interface DropoutPathResult
  extends PathsResult,
    Pick<DropoutPath, "segments" | "order" | "mixed" | "bound"> {
  /** Kind of the result. */
  readonly kind: "dropout-path";
  /** Way in which the units that stay were chosen. */
  readonly choice: UnitChoice;
  /** Rescaling of the units that stay. */
  readonly rescale: Rescaling;
  /** Number of choices of units that were tried in each network. */
  readonly trials: number;
}

const ATTEMPT = "measure a path through dropout-stable networks";
/** Approximate share of the work that the choice of units takes, for the progress. */
const BUILDING = 0.2;

/**
 * Builds a path between two networks through networks without half of their units, and measures loss and
 * error on it and on the straight line. The path is built and measured on the same examples, as the bound of
 * its loss holds for those examples only.
 * @throws MismatchError, InputError, UnsupportedError as `buildDropoutPath`
 * @throws OutOfRangeError if an option is out of range
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createOnnxRuntimeEngine, discoverSymmetries, measureDropoutPath } from "isthmus";
 * import { openDataSet, parseNetwork } from "isthmus";
 *
 * const data = await openDataSet("mnist:test@100");
 * const { graph, initialize } = parseNetwork("mlp:8x2", data);
 * const engine = createOnnxRuntimeEngine();
 * const symmetries = await discoverSymmetries({ graph, engine });
 *
 * const ends = [initialize(0), initialize(1)] as const; // trained ones, as a rule
 * const { path, bound } = await measureDropoutPath({ graph, engine, symmetries }, ends, data, { trials: 1 });
 * assert(path.loss.max <= bound + 1e-5); // whatever the networks of this graph are
 * ```
 */
export async function measureDropoutPath(
  architecture: SymmetricArchitecture,
  networks: readonly [Checkpoint, Checkpoint],
  data: DataSet,
  options: MeasureDropoutPathOptions = {},
): Promise<DropoutPathResult> {
  const others: Required<Omit<MeasureDropoutPathOptions, keyof DropoutPathChoice>> = {
    ...BUILD_RUN_DEFAULTS,
    beside: [],
  };
  const resolved = resolveFields(ATTEMPT, DROPOUT_PATH_FIELDS, options, others);
  const { pointsPerLine, beside, onProgress, ...building } = resolved;
  const built = await buildDropoutPath(architecture, networks, data, {
    ...building,
    onProgress: ({ done }) => onProgress?.({ done: BUILDING * done, stage: "build" }),
  });
  const { choice, rescale, trials, loss, statistics, statisticsData, batchSize, seed, signal } = resolved;
  const points = built.segments.length * pointsPerLine + 1;
  const paths = [built.path, createPath("linear", ...networks), ...beside.map(({ path }) => path)];
  const measured: MeasuredPath[] = [];
  for (const [index, path] of paths.entries()) {
    const options = { loss, statistics, statisticsData, batchSize, signal, points };
    const onStep = ({ done }: { readonly done: number }) =>
      onProgress?.({ done: BUILDING + ((1 - BUILDING) * (index + done)) / paths.length, stage: "measure" });
    measured.push(await measurePath(architecture, path, data, { ...options, onProgress: onStep }));
  }
  const [a, b] = networks;
  return {
    ...lossFields(scoreBy(architecture.graph, loss), data),
    kind: "dropout-path",
    path: at(measured, 0, "path"),
    line: at(measured, 1, "line"),
    beside: beside.map(({ name }, index) => ({ name, path: at(measured, index + 2, "path") })),
    segments: built.segments,
    order: built.order,
    mixed: built.mixed,
    bound: built.bound,
    choice,
    rescale,
    trials,
    statistics,
    examples: data.size,
    data: data.name,
    a: a.source,
    b: b.source,
    seed,
    engine: architecture.engine.name,
  };
}
