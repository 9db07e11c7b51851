import { MEASURED } from "@isthmus/findings/forms";
import { count, fieldsOf, type SchemasOf, text } from "@isthmus/forms";
import type { LossFields } from "@isthmus/graph";
import { STATISTICS_POLICIES } from "@isthmus/statistics";
import * as z from "zod";
import type { BarrierPoint, BarrierValues } from "../barrier-result.ts";
import type { PairOrigin } from "../pair-origin.ts";

/** Form of loss and error at a place of a path. */
export const POINT: z.ZodType<BarrierPoint> = z.looseObject({
  t: z.number(),
  loss: MEASURED,
  error: MEASURED,
  perplexity: MEASURED.optional(),
}) as z.ZodType as z.ZodType<BarrierPoint>;

/** Form of a barrier by every definition. */
export const DEFINITIONS: z.ZodType<BarrierValues> = z.looseObject({
  chord: MEASURED,
  meanOfEndpoints: MEASURED,
  maxEndpoint: MEASURED,
  midpoint: MEASURED,
  at: MEASURED,
});

/** Form of the barriers of loss and error. */
export const BARRIERS: z.ZodType<{ readonly loss: BarrierValues; readonly error: BarrierValues }> =
  z.looseObject({ loss: DEFINITIONS, error: DEFINITIONS });

/** Form of a loss and an error. */
export const MEASURES: z.ZodType<{ readonly loss: number; readonly error: number }> = z.looseObject({
  loss: MEASURED,
  error: MEASURED,
});

/** Form of a count, which is at least 0. */
export const COUNT: z.ZodType<number> = count(0);

type Recorded = Omit<PairOrigin, keyof LossFields>;

/** Forms of the fields by which results between two networks record their origin. */
export const PAIR_ORIGIN: SchemasOf<Recorded> = fieldsOf<Recorded>()({
  a: text,
  b: text,
  statistics: z.enum(STATISTICS_POLICIES),
  statisticsData: text.optional(),
  statisticsExamples: z.number().optional(),
  examples: COUNT,
  data: text,
  engine: text,
});
