import type { Grouping } from "@isthmus/barrier";
import type { MeasureCurvatureOptions, MeasureSharpnessOptions, SettlingChoice } from "@isthmus/curvature";
import type { MeasureLandscapeOptions } from "@isthmus/landscape";
import type { WantedValues } from "./wanted-values.ts";

/** What is measured on every network of a group, each by itself. */
export interface NetworkMeasurement {
  /** Name of the group of networks. */
  readonly of: string;
  /** Only networks whose variables have these values. */
  readonly where?: WantedValues;
  /** Name of the examples to measure on. */
  readonly data: string;
  /** Examples in one engine call: more are faster for small networks. */
  readonly batchSize?: number;
}

/** How sharpness is measured. */
export type SharpnessChoice = Pick<
  MeasureSharpnessOptions,
  "radius" | "adaptiveRadius" | "steps" | "deviation" | "adaptiveDeviation" | "samples"
>;

/** Which curvature is measured, and how precisely, as a study says it. */
export interface CurvatureChoice
  extends Pick<
    MeasureCurvatureOptions,
    | "operator"
    | "examples"
    | "count"
    | "tolerance"
    | "steps"
    | "traceProducts"
    | "relativeError"
    | "runs"
    | "densitySteps"
    | "canonical"
  > {
  /** Names of parameters, in which `*` matches any characters. @defaultValue all parameters */
  readonly parameters?: readonly string[];
  /** What to measure the diagonal blocks of. @defaultValue no blocks */
  readonly by?: Grouping;
  /** How sharpness is measured; `{}` for its defaults. @defaultValue not measured */
  readonly sharpness?: SharpnessChoice;
  /** How the loss settles as examples grow; `{}` for the defaults. @defaultValue not measured */
  readonly settling?: SettlingChoice;
}

/** The curvature around networks; options that are missing have the defaults of `measureCurvature`. */
export interface CurvatureMeasurement extends NetworkMeasurement, CurvatureChoice {
  readonly kind: "curvature";
}

/** Where the directions of a landscape in a study come from. */
export const LANDSCAPE_CHOICES = ["random", "eigenvectors", "trajectory", "initialization"] as const;

/** Which landscape is measured, as a study says it. */
export interface LandscapeChoice
  extends Pick<
    MeasureLandscapeOptions,
    | "dimensions"
    | "points"
    | "range"
    | "normalization"
    | "vectors"
    | "hessianExamples"
    | "steps"
    | "local"
    | "statistics"
  > {
  /** A trajectory, and a line from the initialization, take snapshots of the same training. */
  readonly directions: (typeof LANDSCAPE_CHOICES)[number];
}

/** The landscapes of networks; options that are missing have the defaults of `measureLandscape`. */
export interface LandscapeMeasurement extends NetworkMeasurement, LandscapeChoice {
  readonly kind: "landscape";
}

/** Something that is measured on every network by itself. */
export type EachMeasurement = CurvatureMeasurement | LandscapeMeasurement;
