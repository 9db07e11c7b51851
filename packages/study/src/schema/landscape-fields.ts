import { LANDSCAPE_FIELDS } from "@isthmus/landscape";
import { z } from "zod";
import { LANDSCAPE_CHOICES } from "../description/network-measurement.ts";
import { shapeOfFields } from "./zod-of-form.ts";

const { seed, ...chosen } = LANDSCAPE_FIELDS;

/** Schemas of what an entry says of landscapes: a study names where directions come from. */
export const LANDSCAPE_SHAPE: z.ZodRawShape = {
  ...shapeOfFields(chosen),
  directions: z.enum(LANDSCAPE_CHOICES).describe(LANDSCAPE_FIELDS.directions.help),
};

/** Schemas of the options of a task that measures a landscape. */
export const LANDSCAPE_TASK_SHAPE: z.ZodRawShape = {
  ...LANDSCAPE_SHAPE,
  ...shapeOfFields({ seed }),
};
