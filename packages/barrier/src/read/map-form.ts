import { LOSS_FORM, MEASURED } from "@isthmus/findings/forms";
import { schemaOf, text } from "@isthmus/forms";
import { NORM_POLICIES } from "@isthmus/statistics";
import * as z from "zod";
import type { MapResult } from "../map-result.ts";
import { COUNT } from "./form-parts.ts";

const place = z.tuple([z.number(), z.number()]);

const stage = z.looseObject({
  pairs: z.array(
    z.looseObject({ a: COUNT, b: COUNT, loss: MEASURED, error: MEASURED, distance: z.number().min(0) }),
  ),
  mean: z.looseObject({ loss: MEASURED, error: MEASURED, distances: z.array(z.number()) }),
  tree: z.looseObject({
    joins: z.array(z.looseObject({ a: COUNT, b: COUNT, height: z.number().min(0) })),
    order: z.array(COUNT),
  }),
  places: z.looseObject({ networks: z.array(place), mean: place, stress: z.number().min(0) }),
});

/** Form of a map of networks, as files hold it. */
export const MAP_FORM: z.ZodType = schemaOf<MapResult>()(
  z.looseObject({
    kind: z.literal("map"),
    networks: z.array(
      z.looseObject({ source: text, role: z.enum(["network", "star"]), loss: MEASURED, error: MEASURED }),
    ),
    before: stage,
    after: stage,
    many: text,
    points: COUNT,
    seed: COUNT,
    statistics: z.enum(NORM_POLICIES),
    examples: COUNT,
    data: text,
    engine: text,
    ...LOSS_FORM,
  }),
);
