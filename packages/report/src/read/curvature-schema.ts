import { CURVATURE_KINDS } from "@isthmus/curvature";
import { z } from "zod";
import { provenance, schemaOf } from "./schema-of.ts";

const count = z.int().min(0);
const text = z.string();
const numbers = z.array(z.number());
/** JSON has no infinity: it writes null for an error of which too few samples say anything. */
const error = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.POSITIVE_INFINITY);
const eigenvalues = z.array(z.looseObject({ value: z.number(), residual: z.number() }));

/** Form of the curvature of a network's loss. */
export const CURVATURE_SCHEMA: z.ZodType = schemaOf<"curvature">()(
  z.looseObject({
    kind: z.literal("curvature"),
    operator: z.enum(CURVATURE_KINDS),
    derivatives: z.enum(["exact", "finite-differences"]),
    reason: text.optional(),
    step: z.number().optional(),
    loss: z.number(),
    gradientNorm: z.number(),
    dimension: count,
    parameters: z.array(text),
    eigenvalues: z
      .looseObject({
        largest: eigenvalues,
        smallest: eigenvalues,
        converged: z.boolean(),
        tolerance: z.number(),
        products: count,
      })
      .optional(),
    trace: z
      .looseObject({
        trace: z.number(),
        standardError: error,
        samples: count,
        products: count,
        converged: z.boolean(),
      })
      .optional(),
    density: z
      .looseObject({
        range: z.tuple([z.number(), z.number()]),
        density: numbers,
        width: z.number(),
        nodes: z.looseObject({ values: numbers, weights: numbers }),
        runs: count,
        steps: count,
      })
      .optional(),
    examples: count,
    data: text,
    network: text,
    seed: count,
    engine: text,
    provenance,
  }),
);
