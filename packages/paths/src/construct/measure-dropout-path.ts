import { assertWholeOptions, type Checkpoint, resolveOptions } from "@isthmus/core";
import { type MeasuredPath, measurePath } from "@isthmus/curve";
import type { DataSet } from "@isthmus/graph";
import { createPath } from "@isthmus/interpolation";
import type { NormPolicy } from "@isthmus/statistics";
import type { SymmetricArchitecture } from "@isthmus/symmetry";
import type { UnitChoice } from "../drop/choose-units.ts";
import type { Rescaling } from "../drop/fit-factor.ts";
import { buildDropoutPath, type DropoutPath } from "./build-dropout-path.ts";
import { BUILD_DROPOUT_PATH_DEFAULTS, type BuildDropoutPathOptions } from "./dropout-path-options.ts";

/** Progress of {@link measureDropoutPath}. */
export interface DropoutPathProgress {
  /** Share of the work that is done, in `[0, 1]`. */
  readonly done: number;
  readonly stage: "build" | "measure";
}

/** Options of {@link measureDropoutPath}. */
export interface MeasureDropoutPathOptions extends Omit<BuildDropoutPathOptions, "onProgress"> {
  /** Places on each line of the path, its first end included and its last one not. @defaultValue 4 */
  readonly pointsPerLine?: number;
  readonly onProgress?: ((progress: DropoutPathProgress) => void) | undefined;
}

/** Defaults of {@link MeasureDropoutPathOptions}. */
export const MEASURE_DROPOUT_PATH_DEFAULTS: Required<MeasureDropoutPathOptions> = {
  ...BUILD_DROPOUT_PATH_DEFAULTS,
  pointsPerLine: 4,
  onProgress: undefined,
};

/** Loss and error on a path through dropout-stable networks, beside the straight line. */
export interface DropoutPathResult extends Pick<DropoutPath, "segments" | "order" | "bound"> {
  readonly kind: "dropout-path";
  readonly path: MeasuredPath;
  readonly line: MeasuredPath;
  readonly choice: UnitChoice;
  readonly rescale: Rescaling;
  readonly trials: number;
  readonly statistics: NormPolicy;
  readonly examples: number;
  readonly data: string;
  readonly a: string;
  readonly b: string;
  readonly seed: number;
  readonly engine: string;
}

/** Share of the work that choosing units takes, roughly: for the progress. */
const BUILDING = 0.2;

/**
 * Builds a path between two networks through networks without half of their units, and measures loss and
 * error on it and on the straight line. The path is built and measured on the same examples: what bounds its
 * loss is the loss on them.
 * @throws MismatchError, InputError, UnsupportedError as `buildDropoutPath`
 * @throws OutOfRangeError if an option is out of range
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createOnnxRuntimeEngine, discoverSymmetries, measureDropoutPath, openDataSet, parseNetwork } from "isthmus";
 *
 * const data = await openDataSet("mnist:test@100");
 * const { graph, initialize } = parseNetwork("mlp:8x2", data);
 * const engine = createOnnxRuntimeEngine();
 * const symmetries = await discoverSymmetries({ graph, engine });
 *
 * const ends = [initialize(0), initialize(1)] as const; // trained ones, as a rule
 * const { path, bound } = await measureDropoutPath({ graph, engine, symmetries }, ends, data, { trials: 1 });
 * assert(path.loss.max <= bound + 1e-5); // whatever the networks are
 * ```
 */
export async function measureDropoutPath(
  architecture: SymmetricArchitecture,
  networks: readonly [Checkpoint, Checkpoint],
  data: DataSet,
  options: MeasureDropoutPathOptions = {},
): Promise<DropoutPathResult> {
  const attempt = "measure a path through dropout-stable networks";
  const resolved = resolveOptions(attempt, MEASURE_DROPOUT_PATH_DEFAULTS, options);
  assertWholeOptions(attempt, resolved, { pointsPerLine: 1 });
  const { pointsPerLine, onProgress, ...building } = resolved;
  const built = await buildDropoutPath(architecture, networks, data, {
    ...building,
    onProgress: ({ done }) => onProgress?.({ done: BUILDING * done, stage: "build" }),
  });
  const { choice, rescale, trials, statistics, statisticsData, batchSize, seed, signal } = resolved;
  const measuring = { statistics, statisticsData, batchSize, signal };
  const points = built.segments.length * pointsPerLine + 1;
  const stepOf = (begin: number, share: number) => (progress: { readonly done: number }) =>
    onProgress?.({ done: begin + share * progress.done, stage: "measure" });
  const rest = (1 - BUILDING) / 2;
  const path = await measurePath(architecture, built.path, data, {
    ...{ ...measuring, points, onProgress: stepOf(BUILDING, rest) },
  });
  const line = await measurePath(architecture, createPath("linear", ...networks), data, {
    ...{ ...measuring, points, onProgress: stepOf(BUILDING + rest, rest) },
  });
  const [a, b] = networks;
  return {
    ...{ kind: "dropout-path", path, line, segments: built.segments, order: built.order, bound: built.bound },
    ...{ choice, rescale, trials, statistics, examples: data.size, data: data.name },
    ...{ a: a.source, b: b.source, seed, engine: architecture.engine.name },
  };
}
