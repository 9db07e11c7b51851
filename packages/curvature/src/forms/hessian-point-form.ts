import * as z from "zod";
import type { HessianPoint } from "../hessian-point.ts";

/** Form of an error. JSON has no infinity: null stands for an infinite error, which too few samples give. */
export const ERROR: z.ZodType<number> = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.POSITIVE_INFINITY);

/** Form of an eigenvalue. */
export const EIGENVALUE: z.ZodObject<{ value: z.ZodNumber; residual: z.ZodNumber }, z.core.$loose> =
  z.looseObject({ value: z.number(), residual: z.number() });

/** Form of the measures of a Hessian that is compared with others. */
export const HESSIAN_POINT: Readonly<{ [K in keyof HessianPoint]: z.ZodType<HessianPoint[K]> }> = {
  loss: z.number(),
  gradientNorm: z.number(),
  largest: EIGENVALUE,
  trace: z.number(),
  traceError: ERROR,
};
