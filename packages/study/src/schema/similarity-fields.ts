import { count, examples, type FieldsOf, fieldsOf, positive, share, text } from "@isthmus/forms";
import { CKA_ESTIMATORS, POSITIONS, SIMILARITY_MEASURES } from "@isthmus/similarity";
import { z } from "zod";
import type { SimilarityChoice } from "../description/path-measurements.ts";

/** Fields of {@link SimilarityChoice}. */
export const SIMILARITY_FIELDS: FieldsOf<SimilarityChoice> = fieldsOf<SimilarityChoice>()({
  measures: z.array(z.enum(SIMILARITY_MEASURES)).optional(),
  positions: z.enum(POSITIONS).optional(),
  examples: examples(0).optional(),
  samples: examples(0).optional(),
  estimator: z.enum(CKA_ESTIMATORS).optional(),
  block: count(4).optional(),
  bandwidth: positive.optional(),
  variance: share.optional(),
  anchors: count(1).optional(),
  neighbours: count(1).optional(),
  values: z.array(text).optional(),
});
