import { MEASURED } from "@isthmus/findings/forms";
import { count, schemaOf, text } from "@isthmus/forms";
import { CURVE_KINDS } from "@isthmus/interpolation";
import * as z from "zod";
import { MEASURED_PATH, PATH_ORIGIN } from "../path/path-form.ts";
import type { CurveResult } from "./curve-result.ts";

const whole = count(0);

/** Form of a curve between two networks, as files hold it. */
export const CURVE_FORM: z.ZodType = schemaOf<CurveResult>()(
  z.looseObject({
    kind: z.literal("curve"),
    curve: z.enum(CURVE_KINDS),
    bends: whole,
    epochs: z.array(
      z.looseObject({
        steps: whole,
        loss: MEASURED,
        accuracy: MEASURED.optional(),
        evaluation: z.looseObject({ loss: MEASURED, accuracy: MEASURED.optional() }).optional(),
      }),
    ),
    trainingData: text,
    path: MEASURED_PATH,
    line: MEASURED_PATH,
    modeConnectivity: MEASURED.optional(),
    ...PATH_ORIGIN,
  }),
);
