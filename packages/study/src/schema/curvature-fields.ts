import { GROUPINGS } from "@isthmus/barrier";
import { CURVATURE_KINDS, type SettlingChoice } from "@isthmus/curvature";
import { count, examples, type FieldsOf, fieldsOf, positive, schemaOf, text, tries } from "@isthmus/forms";
import { z } from "zod";
import type { CurvatureChoice, SharpnessChoice } from "../description/network-measurement.ts";

/** How sharpness is measured. */
const SHARPNESS = schemaOf<SharpnessChoice>()(
  z.strictObject({
    radius: positive.optional(),
    adaptiveRadius: positive.optional(),
    steps: tries(0).optional(),
    deviation: positive.optional(),
    adaptiveDeviation: positive.optional(),
    samples: tries(0).optional(),
  }),
);

/** How settling is measured. */
const SETTLING = schemaOf<SettlingChoice>()(
  z.strictObject({
    sizes: z.array(examples(1)).optional(),
    samples: tries(1).optional(),
    deviation: positive.optional(),
    steps: tries(1).optional(),
    traceProducts: tries(1).optional(),
  }),
);

/** Fields of {@link CurvatureChoice}. */
export const CURVATURE_FIELDS: FieldsOf<CurvatureChoice> = fieldsOf<CurvatureChoice>()({
  operator: z.enum(CURVATURE_KINDS).optional(),
  parameters: z.array(text).optional(),
  examples: examples(0).optional(),
  count: count(0).optional(),
  tolerance: positive.optional(),
  steps: tries(1).optional(),
  traceProducts: tries(0).optional(),
  relativeError: positive.optional(),
  runs: tries(0).optional(),
  densitySteps: tries(1).optional(),
  canonical: z.boolean().optional(),
  by: z.enum(GROUPINGS).optional(),
  sharpness: SHARPNESS.optional(),
  settling: SETTLING.optional(),
});
