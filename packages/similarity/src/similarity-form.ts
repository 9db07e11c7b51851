import { count, schemaOf, text } from "@isthmus/forms";
import * as z from "zod";
import { SIMILARITY_NUMBERS } from "./measures/measure.ts";
import { CKA_ESTIMATORS } from "./similarity-options.ts";
import type { SimilarityResult } from "./similarity-result.ts";
import { POSITIONS } from "./values/value-layout.ts";

const whole = count(0);
const layers = z.array(z.looseObject({ name: text, label: text, features: whole })).min(1);

/** Form of the similarity of the representations of two networks, as files hold it. */
export const SIMILARITY_FORM: z.ZodType = schemaOf<SimilarityResult>()(
  z.looseObject({
    kind: z.literal("similarity"),
    a: text,
    b: text,
    layersA: layers,
    layersB: layers,
    tables: z.array(
      z.looseObject({ number: z.enum(SIMILARITY_NUMBERS), values: z.array(z.array(z.number().nullable())) }),
    ),
    positions: z.enum(POSITIONS).exclude(["auto"]),
    samples: whole,
    estimator: z.enum(CKA_ESTIMATORS),
    block: whole.optional(),
    bandwidth: z.number(),
    variance: z.number(),
    anchors: whole,
    neighbours: whole,
    examples: whole,
    data: text,
    seed: whole,
    engine: text,
  }),
);
