import { LOSS_FORM } from "@isthmus/findings/forms";
import { count, schemaOf, text } from "@isthmus/forms";
import * as z from "zod";
import type { CurvatureResult } from "../curvature-result.ts";
import { CURVATURE_KINDS } from "../operators/operator-options.ts";
import { EIGENVALUE, ERROR, HESSIAN_POINT } from "./hessian-point-form.ts";

const whole = count(0);
const numbers = z.array(z.number());
const eigenvalues = z.array(EIGENVALUE);

const trace = z.looseObject({
  trace: z.number(),
  standardError: ERROR,
  samples: whole,
  products: whole,
  converged: z.boolean(),
});

const values = z.looseObject({
  radius: z.number(),
  oneStep: z.number(),
  worst: z.number().optional(),
  average: z.looseObject({ rise: z.number(), standardError: z.number(), deviation: z.number() }).optional(),
});

/** Form of the measures around one network. */
const measures = {
  loss: z.number(),
  gradientNorm: z.number(),
  eigenvalues: z
    .looseObject({
      largest: eigenvalues,
      smallest: eigenvalues,
      converged: z.boolean(),
      tolerance: z.number(),
      products: whole,
    })
    .optional(),
  trace: trace.optional(),
  closedForm: z
    .looseObject({ frobeniusNorm: z.number(), logDeterminant: z.number().nullable(), damping: z.number() })
    .optional(),
  density: z
    .looseObject({
      range: z.tuple([z.number(), z.number()]),
      density: numbers,
      width: z.number(),
      nodes: z.looseObject({ values: numbers, weights: numbers }),
      runs: whole,
      steps: whole,
    })
    .optional(),
  layers: z
    .array(
      z.looseObject({
        name: text,
        parameters: z.array(text),
        dimension: whole,
        gradientNorm: z.number(),
        largest: EIGENVALUE.extend({ converged: z.boolean(), products: whole }).optional(),
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
      steps: whole,
      samples: whole,
      seed: whole,
    })
    .optional(),
  criticalSharpness: z
    .looseObject({
      kind: z.literal("critical-sharpness"),
      sharpness: z.number(),
      learningRate: z.tuple([z.number(), z.number()]),
      direction: z.enum(["gradient", "given"]),
      passes: whole,
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
      draws: whole,
      burnIn: whole,
      step: z.number(),
      localization: z.number(),
      loss: z.number(),
      examples: whole,
      batchSize: whole,
      seed: whole,
    })
    .optional(),
  settling: z
    .looseObject({
      kind: z.literal("settling"),
      points: z.array(
        z.looseObject({ size: whole, change: z.number(), changeError: z.number(), ...HESSIAN_POINT }),
      ),
      exponent: z.number().optional(),
      samples: whole,
      deviation: z.number(),
      examples: whole,
      seed: whole,
    })
    .optional(),
};

/** Form of the curvature of a network's loss, as files hold it. */
export const CURVATURE_FORM: z.ZodType = schemaOf<CurvatureResult>()(
  z.looseObject({
    kind: z.literal("curvature"),
    ...LOSS_FORM,
    operator: z.enum(CURVATURE_KINDS),
    derivatives: z.enum(["exact", "finite-differences"]),
    reason: text.optional(),
    step: z.number().optional(),
    dimension: whole,
    parameters: z.array(text),
    ...measures,
    canonical: z.looseObject(measures).optional(),
    examples: whole,
    data: text,
    network: text,
    seed: whole,
    engine: text,
  }),
);
