import { CURVATURE_KINDS, TRAINING_UNITS } from "@isthmus/curvature";
import { schemaOf } from "@isthmus/forms";
import { z } from "zod";
import { lossFields, provenance, type ResultOf } from "./provenance.ts";

const count = z.int().min(0);
const text = z.string();
const numbers = z.array(z.number());
/** JSON has no infinity: it writes null for an error of which too few samples say anything. */
const error = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.POSITIVE_INFINITY);
const eigenvalue = z.looseObject({ value: z.number(), residual: z.number() });
const eigenvalues = z.array(eigenvalue);

const trace = z.looseObject({
  trace: z.number(),
  standardError: error,
  samples: count,
  products: count,
  converged: z.boolean(),
});

const values = z.looseObject({
  radius: z.number(),
  oneStep: z.number(),
  worst: z.number().optional(),
  average: z.looseObject({ rise: z.number(), standardError: z.number(), deviation: z.number() }).optional(),
});

/** Form of what is measured of a Hessian where many are compared. */
const hessianPoint = {
  loss: z.number(),
  gradientNorm: z.number(),
  largest: eigenvalue,
  trace: z.number(),
  traceError: error,
};

/** Form of what is measured around one network. */
const measures = {
  loss: z.number(),
  gradientNorm: z.number(),
  eigenvalues: z
    .looseObject({
      largest: eigenvalues,
      smallest: eigenvalues,
      converged: z.boolean(),
      tolerance: z.number(),
      products: count,
    })
    .optional(),
  trace: trace.optional(),
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
  layers: z
    .array(
      z.looseObject({
        name: text,
        parameters: z.array(text),
        dimension: count,
        gradientNorm: z.number(),
        largest: eigenvalue.extend({ converged: z.boolean(), products: count }).optional(),
        trace: trace.optional(),
      }),
    )
    .optional(),
  sharpness: z
    .looseObject({
      kind: z.literal("sharpness"),
      loss: z.number(),
      plain: values,
      adaptive: values,
      steps: count,
      samples: count,
      seed: count,
    })
    .optional(),
  criticalSharpness: z
    .looseObject({
      kind: z.literal("critical-sharpness"),
      sharpness: z.number(),
      learningRate: z.tuple([z.number(), z.number()]),
      direction: z.enum(["gradient", "given"]),
      passes: count,
      loss: z.number(),
    })
    .optional(),
  learningCoefficient: z
    .looseObject({
      kind: z.literal("learning-coefficient"),
      coefficient: z.number(),
      standardError: z.number(),
      chains: numbers,
      drift: z.looseObject({ rise: z.number(), standardError: z.number() }),
      course: numbers,
      beta: z.number(),
      draws: count,
      burnIn: count,
      step: z.number(),
      localization: z.number(),
      loss: z.number(),
      examples: count,
      batchSize: count,
      seed: count,
    })
    .optional(),
  settling: z
    .looseObject({
      kind: z.literal("settling"),
      points: z.array(
        z.looseObject({ size: count, change: z.number(), changeError: z.number(), ...hessianPoint }),
      ),
      exponent: z.number().optional(),
      samples: count,
      deviation: z.number(),
      examples: count,
      seed: count,
    })
    .optional(),
};

/** Form of the curvature of a network's loss. */
export const CURVATURE_SCHEMA: z.ZodType = schemaOf<ResultOf<"curvature">>()(
  z.looseObject({
    kind: z.literal("curvature"),
    ...lossFields,
    operator: z.enum(CURVATURE_KINDS),
    derivatives: z.enum(["exact", "finite-differences"]),
    reason: text.optional(),
    step: z.number().optional(),
    dimension: count,
    parameters: z.array(text),
    ...measures,
    canonical: z.looseObject(measures).optional(),
    examples: count,
    data: text,
    network: text,
    seed: count,
    engine: text,
    provenance,
  }),
);

/** Form of the curvature along a training. */
export const CURVATURE_HISTORY_SCHEMA: z.ZodType = schemaOf<ResultOf<"curvature-history">>()(
  z.looseObject({
    kind: z.literal("curvature-history"),
    points: z.array(
      z.looseObject({
        at: count,
        ...hessianPoint,
      }),
    ),
    unit: z.enum(TRAINING_UNITS),
    every: count,
    examples: count,
    data: text,
    seed: count,
    engine: text,
    provenance,
  }),
);
