import { LOSS_FORM, MEASURED } from "@isthmus/findings/forms";
import { count, fieldsOf, type SchemasOf, text } from "@isthmus/forms";
import { NORM_POLICIES } from "@isthmus/statistics";
import * as z from "zod";
import type { MeasuredPath, PathResult } from "./path-result.ts";

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

type PathOrigin = Omit<PathResult, "path" | "line">;

/** Forms of the fields by which results of paths between two networks record their origin. */
export const PATH_ORIGIN: SchemasOf<PathOrigin> = fieldsOf<PathOrigin>()({
  statistics: z.enum(NORM_POLICIES),
  examples: count(0),
  data: text,
  a: text,
  b: text,
  seed: count(0),
  engine: text,
  ...LOSS_FORM,
});
