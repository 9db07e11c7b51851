import { count, examples, type FieldsOf, fieldsOf, tries } from "@isthmus/forms";
import { NORMALIZATIONS, VECTOR_POLICIES } from "@isthmus/landscape";
import { NORM_POLICIES } from "@isthmus/statistics";
import { z } from "zod";
import { LANDSCAPE_CHOICES, type LandscapeChoice } from "../description/network-measurement.ts";

/** Most directions, and most places along one: a grid has as many as their power. */
const MOST = { dimensions: 10, points: 1000 } as const;

/** Fields of {@link LandscapeChoice}. */
export const LANDSCAPE_FIELDS: FieldsOf<LandscapeChoice> = fieldsOf<LandscapeChoice>()({
  directions: z.enum(LANDSCAPE_CHOICES),
  dimensions: count(1, MOST.dimensions).optional(),
  points: count(1, MOST.points).optional(),
  range: z.tuple([z.number(), z.number()]).optional(),
  normalization: z.enum(NORMALIZATIONS).optional(),
  vectors: z.enum(VECTOR_POLICIES).optional(),
  hessianExamples: examples(0).optional(),
  steps: tries(1).optional(),
  local: z.boolean().optional(),
  statistics: z.enum(NORM_POLICIES).optional(),
});
