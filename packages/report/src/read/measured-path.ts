import type { BarrierPoint } from "@isthmus/barrier";
import type { MeasuredPath } from "@isthmus/curve";
import { z } from "zod";

/** A number that was measured. JSON has no NaN: it writes null for what could not be measured. */
export const MEASURED: z.ZodType<number> = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.NaN);

const point = z.looseObject({
  t: z.number(),
  loss: MEASURED,
  error: MEASURED,
  perplexity: MEASURED.optional(),
});

/** Loss and error at a place of a path. */
export const POINT: z.ZodType<BarrierPoint> = point as z.ZodType as z.ZodType<BarrierPoint>;

const summary = z.looseObject({
  min: MEASURED,
  max: MEASURED,
  mean: MEASURED,
  lengthMean: MEASURED,
  at: MEASURED,
});

/** Loss and error along a path. */
export const PATH: z.ZodType<MeasuredPath> = z.looseObject({
  points: z.array(point.extend({ length: z.number() })),
  length: z.number(),
  loss: summary,
  error: summary,
}) as z.ZodType as z.ZodType<MeasuredPath>;
