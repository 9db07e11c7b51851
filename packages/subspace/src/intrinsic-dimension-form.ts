import { schemaOf } from "@isthmus/forms";
import * as z from "zod";
import { SUBSPACE_SCOPES } from "./create-subspace.ts";
import type { IntrinsicDimensionResult } from "./intrinsic-dimension-result.ts";
import { PROJECTION_KINDS } from "./projection/projection.ts";

const count = z.int().min(0);
const text = z.string();
const number = z.number();
const trained = z.looseObject({ seed: count, accuracy: number, loss: number });

/** Form of an intrinsic dimension, as files hold it. */
export const INTRINSIC_DIMENSION_FORM: z.ZodType = schemaOf<IntrinsicDimensionResult>()(
  z.looseObject({
    kind: z.literal("intrinsic-dimension"),
    dimension: count.nullable(),
    crossing: number.nullable(),
    crossings: z.array(z.looseObject({ seed: count, dimension: number.nullable() })),
    interval: z.looseObject({ low: number, high: number }).optional(),
    threshold: number,
    line: number,
    baseline: z.array(trained),
    untrained: z
      .looseObject({
        start: z.array(trained).min(1),
        guess: number.optional(),
        startReaches: z.boolean(),
        learned: z.boolean(),
      })
      .optional(),
    points: z.array(trained.extend({ dimension: count })),
    parameters: count,
    projection: z.enum(PROJECTION_KINDS),
    scope: z.enum(SUBSPACE_SCOPES),
    resolution: number,
    seeds: z.array(count),
    epochs: count,
    batch: count,
    optimizer: text,
    learningRate: number,
    baselineLearningRate: number,
    network: text,
    data: text,
    examples: count,
    evaluationData: text,
    evaluationExamples: count,
    engine: text,
  }),
);
