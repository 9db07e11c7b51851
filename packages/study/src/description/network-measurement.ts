import type { LandscapeChoice } from "@isthmus/landscape";
import type { MeasuredLoss } from "../schema/measured-loss.ts";
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

/** Where the directions of a landscape in a study come from. */
export const LANDSCAPE_CHOICES = ["random", "eigenvectors", "trajectory", "initialization"] as const;

/** Which landscape is measured, as a study says it. */
export interface LandscapeSelection extends Omit<LandscapeChoice, "directions" | "seed" | "batchSize"> {
  /** A trajectory, and a line from the initialization, take snapshots of the same training. */
  readonly directions: (typeof LANDSCAPE_CHOICES)[number];
}

/** The landscapes of networks; options that are missing have the defaults of `measureLandscape`. */
export interface LandscapeMeasurement extends NetworkMeasurement, LandscapeSelection, MeasuredLoss {
  readonly kind: "landscape";
}
