import { RESCALINGS, UNIT_CHOICES } from "@isthmus/paths";
import { z } from "zod";
import { MEASURED, PATH } from "./measured-path.ts";
import { lossFields, provenance, schemaOf } from "./schema-of.ts";

const count = z.int().min(0);
const text = z.string();
const measured = {
  statistics: z.enum(["keep", "recalibrate"]),
  examples: count,
  data: text,
  seed: count,
  engine: text,
  ...lossFields,
  provenance,
};
const made = { choice: z.enum(UNIT_CHOICES), rescale: z.enum(RESCALINGS), ...measured };
const paths = { path: PATH, line: PATH, beside: z.array(z.looseObject({ name: text, path: PATH })) };
const step = z.looseObject({ from: text, units: count, factor: z.number(), loss: MEASURED, error: MEASURED });

/** Form of the dropout stability of a network. */
export const DROPOUT_STABILITY_SCHEMA: z.ZodType = schemaOf<"dropout-stability">()(
  z.looseObject({
    kind: z.literal("dropout-stability"),
    loss: MEASURED,
    error: MEASURED,
    layers: z.array(z.looseObject({ name: text, units: count })),
    left: z.record(text, text),
    shares: z.array(
      z.looseObject({
        share: z.number(),
        trials: z.array(z.looseObject({ steps: z.array(step), rise: MEASURED })),
        rise: z.looseObject({ mean: MEASURED, min: MEASURED, max: MEASURED }),
      }),
    ),
    network: text,
    ...made,
  }),
);

/** Form of a path through dropout-stable networks. */
export const DROPOUT_PATH_SCHEMA: z.ZodType = schemaOf<"dropout-path">()(
  z.looseObject({
    kind: z.literal("dropout-path"),
    ...paths,
    segments: z.array(z.looseObject({ step: text, from: z.number(), to: z.number(), isChange: z.boolean() })),
    order: z.enum(["layers", "direct"]),
    mixed: z.array(text),
    bound: MEASURED,
    trials: count,
    a: text,
    b: text,
    ...made,
  }),
);

/** Form of a path that layers walked one after the other. */
export const WALKED_PATH_SCHEMA: z.ZodType = schemaOf<"walked-path">()(
  z.looseObject({
    kind: z.literal("walked-path"),
    ...paths,
    segments: z.array(z.looseObject({ layer: text, from: z.number(), to: z.number() })),
    ...{ moves: count, trainSteps: count, steps: count, batch: count, optimizer: text },
    learningRate: z.number(),
    trainingData: text,
    a: text,
    b: text,
    ...measured,
  }),
);
