import { MEASURED } from "@isthmus/findings/forms";
import { count, schemaOf, text } from "@isthmus/forms";
import * as z from "zod";
import type { DropoutPathResult } from "../dropout-path/measure-dropout-path.ts";
import { UNIT_CHOICES } from "../dropout-stability/choose-units.ts";
import { RESCALINGS } from "../dropout-stability/fit-factor.ts";
import type { WalkedPathResult } from "../walked-path/walked-path-result.ts";
import { MEASURED_PATH, PATH_ORIGIN } from "./path-form.ts";

const whole = count(0);

/** Forms of the fields that results of paths beside other paths have in common. */
const paths = {
  path: MEASURED_PATH,
  line: MEASURED_PATH,
  beside: z.array(z.looseObject({ name: text, path: MEASURED_PATH })),
  ...PATH_ORIGIN,
};

/** Form of a path through dropout-stable networks, as files hold it. */
export const DROPOUT_PATH_FORM: z.ZodType = schemaOf<DropoutPathResult>()(
  z.looseObject({
    kind: z.literal("dropout-path"),
    ...paths,
    segments: z.array(z.looseObject({ step: text, from: z.number(), to: z.number(), isChange: z.boolean() })),
    order: z.enum(["layers", "direct"]),
    mixed: z.array(text),
    bound: MEASURED,
    choice: z.enum(UNIT_CHOICES),
    rescale: z.enum(RESCALINGS),
    trials: whole,
  }),
);

/** Form of a path on which layers moved one after the other, as files hold it. */
export const WALKED_PATH_FORM: z.ZodType = schemaOf<WalkedPathResult>()(
  z.looseObject({
    kind: z.literal("walked-path"),
    ...paths,
    segments: z.array(z.looseObject({ layer: text, from: z.number(), to: z.number() })),
    moves: whole,
    trainSteps: whole,
    steps: whole,
    batch: whole,
    optimizer: text,
    learningRate: z.number(),
    trainingData: text,
  }),
);
