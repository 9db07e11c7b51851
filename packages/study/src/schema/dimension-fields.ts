import { batch, count, type FieldsOf, fieldsOf, positive, repeats, seed } from "@isthmus/forms";
import { PROJECTION_KINDS, SUBSPACE_SCOPES } from "@isthmus/subspace";
import { OPTIMIZER, SCHEDULE } from "@isthmus/training/forms";
import { z } from "zod";
import type { DimensionChoice } from "../description/dimension-measurement.ts";

/** Fields of {@link DimensionChoice}. */
export const DIMENSION_FIELDS: FieldsOf<DimensionChoice> = fieldsOf<DimensionChoice>()({
  projection: z.enum(PROJECTION_KINDS).optional(),
  scope: z.enum(SUBSPACE_SCOPES).optional(),
  threshold: positive.max(1).optional(),
  seeds: z.array(seed).min(1).optional(),
  first: count(1).optional(),
  least: count(1).optional(),
  most: count(1).optional(),
  resolution: positive.max(1).optional(),
  epochs: repeats(1).optional(),
  batch: batch.optional(),
  optimizer: OPTIMIZER.optional(),
  schedule: SCHEDULE.optional(),
  baselineSchedule: SCHEDULE.optional(),
});
