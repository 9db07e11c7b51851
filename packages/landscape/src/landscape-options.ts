import type { GridProgress, PlaneSubject } from "@isthmus/barrier";
import { assertWholeOptions, OutOfRangeError, resolveOptions, UsageError } from "@isthmus/core";
import { TOP_EIGENPAIRS_DEFAULTS } from "@isthmus/curvature";
import type { DataSet, LossOption } from "@isthmus/graph";
import { NORM_POLICIES, type NormPolicy } from "@isthmus/statistics";

/**
 * Where the directions of a landscape come from: random numbers; the largest eigenvalues of the Hessian; the
 * principal components of a training run; differences to other networks; or the one from an initialization.
 */
export const LANDSCAPE_KINDS = [
  "random",
  "eigenvectors",
  "trajectory",
  "networks",
  "initialization",
] as const;

/** Where the directions of a landscape come from. */
export type LandscapeKind = (typeof LANDSCAPE_KINDS)[number];

/** What a direction is scaled to the size of: every filter, every tensor, the network as one; or nothing. */
export const NORMALIZATIONS = ["filter", "layer", "whole", "none"] as const;

/** What a direction is scaled to the size of. */
export type Normalization = (typeof NORMALIZATIONS)[number];

/** Whether directions move tensors of one axis, such as biases and the parameters of norms. */
export const VECTOR_POLICIES = ["ignore", "move"] as const;

/** Whether directions move tensors of one axis. */
export type VectorPolicy = (typeof VECTOR_POLICIES)[number];

/** The network whose landscape is measured, and others. */
export interface LandscapeNetworks {
  readonly network: PlaneSubject;
  /**
   * Snapshots of the training run that ended in the network, in their order; the networks that directions
   * lead to; the initialization; else networks that are placed. @defaultValue none
   */
  readonly others?: readonly PlaneSubject[] | undefined;
}

/** Progress of {@link measureLandscape}. */
export interface LandscapeProgress extends Omit<GridProgress, "done"> {
  /** Share of this stage that is done, in `[0, 1]`; eigenvectors may end before all products are made. */
  readonly done: number;
  readonly stage: "eigenvectors" | "grid";
}

/** Options of {@link measureLandscape}. */
export interface MeasureLandscapeOptions extends LossOption {
  /** @defaultValue "random" */
  readonly directions?: LandscapeKind;
  /**
   * Number of directions, at least 1.
   * @defaultValue 2; to other networks, as many as there are; 1 from an initialization
   */
  readonly dimensions?: number | undefined;
  /** Places along every direction, at least 2. @defaultValue 51; 25 for planes, 9 for three, 5 for more */
  readonly points?: number | undefined;
  /**
   * Ends of every axis, in units of the direction.
   * @defaultValue -1 to 1; -0.5 to 1.5 to other networks, 0 to 1 from an initialization, around a trajectory
   */
  readonly range?: readonly [from: number, to: number] | undefined;
  /** What directions are scaled to the size of. @defaultValue "filter" for random ones, else "none" */
  readonly normalization?: Normalization | undefined;
  /** What is done about tensors of one axis. @defaultValue "ignore" for random directions, else "move" */
  readonly vectors?: VectorPolicy | undefined;
  /** Seed of random directions, and of the search for eigenvectors. @defaultValue 0 */
  readonly seed?: number;
  /** Examples that eigenvectors are of, the first ones; 0 for all. @defaultValue 1000 */
  readonly hessianExamples?: number;
  /** The most products with the Hessian for eigenvectors. @defaultValue 200 */
  readonly steps?: number;
  /** Measure slope and curvature along every direction at the network. @defaultValue true */
  readonly local?: boolean;
  /** What is done about batch norms of all networks. @defaultValue "recalibrate" */
  readonly statistics?: NormPolicy;
  /** Examples to measure statistics on. @defaultValue the first 2,500 of the evaluated ones */
  readonly statisticsData?: DataSet | undefined;
  /** File that stores finished rows, and from which the same measurement resumes. @defaultValue none */
  readonly journalPath?: string | undefined;
  /** Examples in one engine call. @defaultValue 100 */
  readonly batchSize?: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: LandscapeProgress) => void) | undefined;
}

/** Defaults of {@link measureLandscape}; what depends on the directions is undefined. */
export const MEASURE_LANDSCAPE_DEFAULTS: Required<MeasureLandscapeOptions> = {
  loss: undefined,
  directions: "random",
  dimensions: undefined,
  points: undefined,
  range: undefined,
  normalization: undefined,
  vectors: undefined,
  seed: 0,
  hessianExamples: 1000,
  steps: TOP_EIGENPAIRS_DEFAULTS.steps,
  local: true,
  statistics: "recalibrate",
  statisticsData: undefined,
  journalPath: undefined,
  batchSize: 100,
  signal: undefined,
  onProgress: undefined,
};

/** What is attempted, for messages. */
export const ATTEMPT = "measure a landscape";

/** Options of which only the range may still follow from the directions. */
export type ResolvedOptions = Required<MeasureLandscapeOptions> & {
  readonly dimensions: number;
  readonly points: number;
  readonly normalization: Normalization;
  readonly vectors: VectorPolicy;
};

/** Places along every direction, by the number of directions. */
const POINTS: Readonly<Record<number, number>> = { 1: 51, 2: 25, 3: 9 };
const FEWEST_POINTS = 5;

/**
 * Fills in the defaults of options and checks their ranges.
 * @param others - number of networks beside the first
 * @throws UsageError if an option is unknown, or does not go with the directions
 * @throws OutOfRangeError if an option is out of range
 */
export function resolveLandscapeOptions(options: MeasureLandscapeOptions, others: number): ResolvedOptions {
  const merged = resolveOptions(ATTEMPT, MEASURE_LANDSCAPE_DEFAULTS, options);
  assertChoices(merged);
  const { directions: kind } = merged;
  const isRandom = kind === "random";
  const dimensions = merged.dimensions ?? defaultDimensions(kind, others);
  const resolved = {
    ...merged,
    dimensions,
    points: merged.points ?? POINTS[dimensions] ?? FEWEST_POINTS,
    normalization: merged.normalization ?? (isRandom ? "filter" : "none"),
    vectors: merged.vectors ?? (isRandom ? "ignore" : "move"),
  };
  assertWholeOptions(ATTEMPT, resolved, {
    ...{ dimensions: 1, points: 2, seed: 0, hessianExamples: 0, steps: 1, batchSize: 1 },
  });
  assertRange(resolved.range);
  assertFits(resolved, others);
  return resolved;
}

function defaultDimensions(kind: LandscapeKind, others: number): number {
  if (kind === "initialization") return 1;
  return kind === "networks" ? Math.max(1, others) : 2;
}

function assertChoices(options: Required<MeasureLandscapeOptions>): void {
  const choices = {
    directions: LANDSCAPE_KINDS,
    normalization: NORMALIZATIONS,
    vectors: VECTOR_POLICIES,
    statistics: NORM_POLICIES,
  } as const;
  for (const [name, allowed] of Object.entries(choices)) {
    const value = options[name as keyof typeof choices];
    if (value === undefined || (allowed as readonly string[]).includes(value)) continue;
    throw new OutOfRangeError(
      `Cannot ${ATTEMPT} as "${name}" must be one of ${allowed.join(", ")}: it is ${value}`,
    );
  }
}

function assertRange(range: readonly [number, number] | undefined): void {
  if (range === undefined) return;
  const [from, to] = range;
  if (Number.isFinite(from) && Number.isFinite(to) && from < to) return;
  throw new OutOfRangeError(
    `Cannot ${ATTEMPT} as "range" must be two numbers, the first one smaller: it is ${from} to ${to}`,
  );
}

/** Checks that the directions can be made of the networks that there are. */
function assertFits({ directions, dimensions, normalization, range }: ResolvedOptions, others: number): void {
  const fail = (rule: string): never => {
    throw new UsageError(`Cannot ${ATTEMPT} as ${rule}`);
  };
  if (directions === "trajectory") {
    if (others === 0) {
      fail(
        "a trajectory must have two snapshots or more: only its end is there; name the snapshots before it",
      );
    }
    if (dimensions > others) {
      fail(
        `so many snapshots, the end included, have ${others} principal components at most: "dimensions" is ${dimensions}; take fewer, or name more snapshots`,
      );
    }
    if (normalization !== "none") {
      fail(`directions of a trajectory must keep their lengths: "normalization" is ${normalization}`);
    }
  }
  if (directions === "networks" && dimensions !== others) {
    fail(
      `there must be one other network for every direction: "dimensions" is ${dimensions}, and there are ${others}`,
    );
  }
  if (directions !== "initialization") return;
  if (others !== 1) fail(`a line from an initialization must have one: there are ${others}`);
  if (dimensions !== 1)
    fail(`a line from an initialization has one direction: "dimensions" is ${dimensions}`);
  if (normalization !== "none") {
    fail(`the way from an initialization must keep its length: "normalization" is ${normalization}`);
  }
  if (range !== undefined) fail(`a line from an initialization goes from 0 to 1: "range" must be left out`);
}
