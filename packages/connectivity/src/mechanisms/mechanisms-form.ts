import { MEASURED } from "@isthmus/findings/forms";
import { count, schemaOf, text } from "@isthmus/forms";
import { NORM_POLICIES } from "@isthmus/statistics";
import * as z from "zod";
import { MEASURED_PATH } from "../path/path-form.ts";
import type { MechanismsResult } from "./mechanisms-result.ts";

const barrier = z.looseObject({
  chord: MEASURED,
  meanOfEndpoints: MEASURED,
  maxEndpoint: MEASURED,
  midpoint: MEASURED,
  at: MEASURED,
});

/** Form of the mechanistic connectivity of two networks, as files hold it. */
export const MECHANISMS_FORM: z.ZodType = schemaOf<MechanismsResult>()(
  z.looseObject({
    kind: z.literal("mechanisms"),
    sets: z.array(
      z.looseObject({
        name: text,
        data: text,
        examples: count(0),
        path: MEASURED_PATH,
        barrier: z.looseObject({ loss: barrier, error: barrier }),
        gap: MEASURED,
        connected: z.boolean(),
      }),
    ),
    connected: z.boolean(),
    similar: z.boolean(),
    tolerance: z.number(),
    path: text,
    statistics: z.enum(NORM_POLICIES),
    statisticsData: text.optional(),
    a: text,
    b: text,
    engine: text,
  }),
);
