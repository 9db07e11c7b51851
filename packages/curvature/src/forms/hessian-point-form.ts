import { z } from "zod";
import type { HessianPoint } from "../hessian-point.ts";

/** An error. JSON has no infinity: it writes null for an error of which too few samples say anything. */
export const ERROR: z.ZodType<number> = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.POSITIVE_INFINITY);

/** Form of an eigenvalue. */
export const EIGENVALUE: z.ZodObject<{ value: z.ZodNumber; residual: z.ZodNumber }, z.core.$loose> =
  z.looseObject({ value: z.number(), residual: z.number() });

/** Form of what is measured of a Hessian where many are compared. */
export const HESSIAN_POINT: Readonly<{ [K in keyof HessianPoint]: z.ZodType<HessianPoint[K]> }> = {
  loss: z.number(),
  gradientNorm: z.number(),
  largest: EIGENVALUE,
  trace: z.number(),
  traceError: ERROR,
};
