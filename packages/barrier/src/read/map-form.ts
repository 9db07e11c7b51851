import { LOSS_FORM, MEASURED } from "@isthmus/findings/forms";
import { schemaOf, text } from "@isthmus/forms";
import { NORM_POLICIES } from "@isthmus/statistics";
import * as z from "zod";
import type { MapResult } from "../map-result.ts";
import { COUNT, POINT } from "./form-parts.ts";

const place = z.tuple([z.number(), z.number()]);

const stage = z.looseObject({
  pairs: z.array(
    z.looseObject({
      a: COUNT,
      b: COUNT,
      loss: MEASURED,
      error: MEASURED,
      distance: z.number().min(0),
      losses: z.array(MEASURED).optional(),
      errors: z.array(MEASURED).optional(),
    }),
  ),
  mean: z.looseObject({ loss: MEASURED, error: MEASURED, distances: z.array(z.number()) }),
  tree: z.looseObject({
    joins: z.array(z.looseObject({ a: COUNT, b: COUNT, height: z.number().min(0) })),
    order: z.array(COUNT),
  }),
  places: z.looseObject({ networks: z.array(place), mean: place, stress: z.number().min(0) }),
});

const ground = z.looseObject({
  stage: z.enum(["before", "after"]),
  xs: z.array(z.number()).min(2),
  ys: z.array(z.number()).min(2),
  basis: z.tuple([place, place]),
  loss: z.array(z.array(MEASURED)),
  error: z.array(z.array(MEASURED)),
  networks: z.array(z.looseObject({ network: COUNT, x: z.number(), y: z.number(), distance: z.number() })),
  marks: z
    .array(
      z.looseObject({
        kind: z.enum(["minimum", "saddle"]),
        x: z.number(),
        y: z.number(),
        loss: z.number(),
        joins: z.number().optional(),
      }),
    )
    .optional(),
  data: text,
  examples: COUNT,
});

const path = z.looseObject({
  label: text,
  a: COUNT,
  b: COUNT,
  points: z.array(POINT).min(2),
  data: text,
  examples: COUNT,
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
    ground: ground.optional(),
    paths: z.array(path).optional(),
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
