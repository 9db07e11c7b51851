import { schemaOf } from "@isthmus/forms";
import { CKA_ESTIMATORS, POSITIONS, SIMILARITY_NUMBERS } from "@isthmus/similarity";
import { z } from "zod";
import { provenance, type ResultOf } from "./provenance.ts";

const count = z.int().min(0);
const text = z.string();
const layers = z.array(z.looseObject({ name: text, label: text, features: count })).min(1);

/** Form of the similarity of the representations of two networks. */
export const SIMILARITY_SCHEMA: z.ZodType = schemaOf<ResultOf<"similarity">>()(
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
    samples: count,
    estimator: z.enum(CKA_ESTIMATORS),
    block: count.optional(),
    bandwidth: z.number(),
    variance: z.number(),
    anchors: count,
    neighbours: count,
    examples: count,
    data: text,
    seed: count,
    engine: text,
    provenance,
  }),
);
