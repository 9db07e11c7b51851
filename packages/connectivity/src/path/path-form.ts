import { MEASURED } from "@isthmus/findings/forms";
import { z } from "zod";
import type { MeasuredPath } from "../curve/curve-result.ts";

const point = z.looseObject({
  t: z.number(),
  loss: MEASURED,
  error: MEASURED,
  perplexity: MEASURED.optional(),
});

const summary = z.looseObject({
  min: MEASURED,
  max: MEASURED,
  mean: MEASURED,
  lengthMean: MEASURED,
  at: MEASURED,
});

/** Form of loss and error along a path, as files hold it. */
export const MEASURED_PATH: z.ZodType<MeasuredPath> = z.looseObject({
  points: z.array(point.extend({ length: z.number() })),
  length: z.number(),
  loss: summary,
  error: summary,
}) as z.ZodType as z.ZodType<MeasuredPath>;
