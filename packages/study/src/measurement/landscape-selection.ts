import { LANDSCAPE_KINDS, type LandscapeKind } from "@isthmus/landscape";
import { z } from "zod";
import type { NetworkMeasurement } from "../description/network-measurement.ts";

/** Networks of a group, and where the directions of the landscape of each come from. */
export interface LandscapeSelection extends NetworkMeasurement {
  /** A trajectory, and a line from the initialization, take snapshots of the same training. */
  readonly directions: Exclude<LandscapeKind, "networks">;
}

/** What an entry says of a landscape, beside its networks and the examples to measure on. */
export const LANDSCAPE_SHAPE: z.ZodRawShape = {
  // An entry has no names for the networks that directions could lead to.
  directions: z.enum(LANDSCAPE_KINDS).exclude(["networks"]),
};
