import { PROJECTION_KINDS, SUBSPACE_SCOPES } from "@isthmus/subspace";
import { z } from "zod";
import type { DimensionChoice } from "../description/dimension-measurement.ts";
import { batch, count, positive, repeats, seed } from "./numbers.ts";
import { type FieldsOf, fieldsOf } from "./schema-of.ts";
import { OPTIMIZER, SCHEDULE } from "./training-schema.ts";

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
