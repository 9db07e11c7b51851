import type { GridProgress, PlaneSubject } from "@isthmus/barrier";
import {
  BATCH_SIZE_FIELD,
  choiceField,
  examplesField,
  type FieldsOf,
  flagField,
  placesField,
  rangeField,
  resolveFields,
  seedField,
  triesField,
  UsageError,
  wholeField,
} from "@isthmus/core";
import type { DataSet, LossOption } from "@isthmus/graph";
import { type NormPolicy, normField } from "@isthmus/statistics";
import { TOP_EIGENPAIRS_DEFAULTS } from "../top-eigenpairs.ts";

/**
 * Sources of the directions of a landscape: random numbers; the largest eigenvalues of the Hessian; the
 * principal components of a training run; differences to other networks; or the difference to the trained
 * network from an initialization.
 */
export const LANDSCAPE_KINDS = [
  "random",
  "eigenvectors",
  "trajectory",
  "networks",
  "initialization",
] as const;

/** Source of the directions of a landscape. */
export type LandscapeKind = (typeof LANDSCAPE_KINDS)[number];

/**
 * Normalizations of a direction: scaled to the size of every filter, of every tensor, or of the whole
 * network; or not at all.
 */
export const NORMALIZATIONS = ["filter", "layer", "whole", "none"] as const;

/** Normalization of a direction. */
export type Normalization = (typeof NORMALIZATIONS)[number];

/** Whether directions move tensors of one axis, such as biases and the parameters of norms. */
export const VECTOR_POLICIES = ["ignore", "move"] as const;

/** Whether directions move tensors of one axis. */
export type VectorPolicy = (typeof VECTOR_POLICIES)[number];

/** The network whose landscape is measured, and others. */
export interface LandscapeNetworks {
  /** Network in the middle of the landscape, with its name. */
  readonly network: PlaneSubject;
  /**
   * Snapshots of the training run that ended in the network, in their order, for `trajectory`; the networks
   * that directions lead to, for `networks`; the initialization, for `initialization`; for other directions,
   * networks that are placed in the landscape.
   * @defaultValue none
   */
  readonly others?: readonly PlaneSubject[] | undefined;
}

/** Progress of {@link measureLandscape}. */
export interface LandscapeProgress extends Omit<GridProgress, "done"> {
  /** Share of this stage that is done, in `[0, 1]`; eigenvectors may end before all products are made. */
  readonly done: number;
  /** Work under way: eigenvectors of the Hessian, or losses on the grid. */
  readonly stage: "eigenvectors" | "grid";
}

/**
 * Largest number of directions: the size of a grid is the number of places to the power of the number of
 * directions.
 */
const MOST_DIMENSIONS = 10;

/** Options of {@link measureLandscape} that are plain data. */
export interface LandscapeChoice {
  /** Source of the directions. @defaultValue "random" */
  readonly directions?: LandscapeKind;
  /**
   * Number of directions, at least 1.
   * @defaultValue 2; to other networks, as many as there are; 1 from an initialization
   */
  readonly dimensions?: number | undefined;
  /**
   * Number of places along every direction, at least 2.
   * @defaultValue 51; 25 for planes, 9 for three, 5 for more
   */
  readonly points?: number | undefined;
  /**
   * Ends of every axis, in units of the direction.
   * @defaultValue -1 to 1; -0.5 to 1.5 to other networks, 0 to 1 from an initialization, around a trajectory
   */
  readonly range?: readonly [from: number, to: number] | undefined;
  /** Normalization of the directions. @defaultValue "filter" for random ones, else "none" */
  readonly normalization?: Normalization | undefined;
  /** Treatment of tensors of one axis. @defaultValue "ignore" for random directions, else "move" */
  readonly vectors?: VectorPolicy | undefined;
  /** Seed of random directions, and of the search for eigenvectors. @defaultValue 0 */
  readonly seed?: number;
  /**
   * Number of examples, the first ones, whose Hessian gives the eigenvectors; 0 for all.
   * @defaultValue 1000
   */
  readonly hessianExamples?: number;
  /** Largest number of products with the Hessian for eigenvectors. @defaultValue 200 */
  readonly steps?: number;
  /** Whether to measure slope and curvature along every direction at the network. @defaultValue true */
  readonly local?: boolean;
  /** Treatment of batch norms of all networks. @defaultValue "recalibrate" */
  readonly statistics?: NormPolicy;
  /** Number of examples in one engine call. @defaultValue 100 */
  readonly batchSize?: number;
}

/** Fields of {@link LandscapeChoice}; defaults that depend on the directions are undefined. */
export const LANDSCAPE_FIELDS: FieldsOf<LandscapeChoice> = {
  directions: choiceField<LandscapeKind>(LANDSCAPE_KINDS, {
    default: "random",
    help: "where directions come from",
    // Commands and studies choose the kind of directions by the networks from which these are made.
    tasksOnly: true,
  }),
  dimensions: wholeField({
    least: 1,
    most: MOST_DIMENSIONS,
    help: "number of directions (default: 2; as many as networks that directions lead to; 1 from an initialization)",
  }),
  points: placesField({
    least: 2,
    help: "places along every direction (default: 51 for a line, 25 for a plane, 9 for three directions, 5 for more)",
  }),
  range: rangeField({
    help: "ends of every axis in units of the direction (default: -1:1; -0.5:1.5 to networks; around a trajectory)",
  }),
  normalization: choiceField<Normalization>(NORMALIZATIONS, {
    flag: "normalize",
    placeholder: "<size>",
    help: "what directions are scaled to the size of (default: filter for random ones, else none)",
  }),
  vectors: choiceField<VectorPolicy>(VECTOR_POLICIES, {
    placeholder: "<policy>",
    help: "whether directions move biases, norms and other tensors of one axis (default: ignore for random ones, else move)",
  }),
  hessianExamples: examplesField({
    least: 0,
    default: 1000,
    help: "examples that eigenvectors are of, the first ones; 0 for all",
  }),
  steps: triesField({
    least: 1,
    default: TOP_EIGENPAIRS_DEFAULTS.steps,
    help: "the most products for eigenvectors",
  }),
  local: flagField({ default: true, help: "measure slope and curvature at the network" }),
  statistics: normField("recalibrate"),
  seed: seedField("seed of random directions, and of eigenvectors"),
  batchSize: BATCH_SIZE_FIELD,
};

/** Options of {@link measureLandscape}. */
export interface MeasureLandscapeOptions extends LandscapeChoice, LossOption {
  /** Examples on which statistics are measured. @defaultValue the first 2,500 of the evaluated ones */
  readonly statisticsData?: DataSet | undefined;
  /** File that stores finished rows, and from which the same measurement resumes. @defaultValue none */
  readonly journalPath?: string | undefined;
  /** Signal that stops the measurement; finished rows stay in the journal. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
  /** Callback for the progress of each stage. @defaultValue none */
  readonly onProgress?: ((progress: LandscapeProgress) => void) | undefined;
}

const RUN_DEFAULTS: Required<Omit<MeasureLandscapeOptions, keyof LandscapeChoice>> = {
  loss: undefined,
  statisticsData: undefined,
  journalPath: undefined,
  signal: undefined,
  onProgress: undefined,
};

/** Words for the attempt in error messages. */
export const ATTEMPT = "measure a landscape";

/** Options with all defaults filled in, except the range, which may still follow from the directions. */
export type ResolvedOptions = Required<MeasureLandscapeOptions> & {
  /** Number of directions. */
  readonly dimensions: number;
  /** Number of places along every direction. */
  readonly points: number;
  /** Normalization of every direction. */
  readonly normalization: Normalization;
  /** Whether directions move tensors of one axis. */
  readonly vectors: VectorPolicy;
};

/** Default numbers of places along every direction, by the number of directions. */
const POINTS: Readonly<Record<number, number>> = { 1: 51, 2: 25, 3: 9 };
const FEWEST_POINTS = 5;

/**
 * Fills in the defaults of options and checks their ranges.
 * @param others - number of networks beside the first
 * @throws UsageError if an option is unknown, or does not go with the directions
 * @throws OutOfRangeError if an option is out of range
 */
export function resolveLandscapeOptions(options: MeasureLandscapeOptions, others: number): ResolvedOptions {
  const merged = resolveFields(ATTEMPT, LANDSCAPE_FIELDS, options, RUN_DEFAULTS);
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
  assertFits(resolved, others);
  return resolved;
}

function defaultDimensions(kind: LandscapeKind, others: number): number {
  if (kind === "initialization") return 1;
  return kind === "networks" ? Math.max(1, others) : 2;
}

/** Checks that the directions can be made of the given networks. */
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
