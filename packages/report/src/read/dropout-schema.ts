import { schemaOf } from "@isthmus/forms";
import { RESCALINGS, UNIT_CHOICES } from "@isthmus/paths";
import { z } from "zod";
import { MEASURED, PATH } from "./measured-path.ts";
import { lossFields, provenance, type ResultOf } from "./provenance.ts";

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

/** Form of a path through dropout-stable networks. */
export const DROPOUT_PATH_SCHEMA: z.ZodType = schemaOf<ResultOf<"dropout-path">>()(
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
export const WALKED_PATH_SCHEMA: z.ZodType = schemaOf<ResultOf<"walked-path">>()(
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
