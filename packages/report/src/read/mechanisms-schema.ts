import { schemaOf } from "@isthmus/forms";
import { z } from "zod";
import { MEASURED, PATH } from "./measured-path.ts";
import { provenance, type ResultOf } from "./provenance.ts";

const count = z.int().min(0);
const text = z.string();
const barrier = z.looseObject({
  chord: MEASURED,
  meanOfEndpoints: MEASURED,
  maxEndpoint: MEASURED,
  midpoint: MEASURED,
  at: MEASURED,
});

/** Form of the mechanistic connectivity of two networks. */
export const MECHANISMS_SCHEMA: z.ZodType = schemaOf<ResultOf<"mechanisms">>()(
  z.looseObject({
    kind: z.literal("mechanisms"),
    sets: z.array(
      z.looseObject({
        name: text,
        data: text,
        examples: count,
        path: PATH,
        barrier: z.looseObject({ loss: barrier, error: barrier }),
        gap: MEASURED,
        connected: z.boolean(),
      }),
    ),
    connected: z.boolean(),
    similar: z.boolean(),
    tolerance: z.number(),
    path: text,
    statistics: z.enum(["keep", "recalibrate"]),
    statisticsData: text.optional(),
    a: text,
    b: text,
    engine: text,
    provenance,
  }),
);
