import { count, type FieldsOf, fieldsOf, places } from "@isthmus/forms";
import { CURVE_KINDS } from "@isthmus/interpolation";
import { NORM_POLICIES } from "@isthmus/statistics";
import { z } from "zod";
import type { CurveChoice } from "../description/path-measurements.ts";

/** Most bends. */
const MOST = 1000;

const shape = {
  curve: z.enum(CURVE_KINDS),
  bends: count(1, MOST),
  points: places(3),
  statistics: z.enum(NORM_POLICIES),
};

/** Fields of {@link CurveChoice} where all are named. */
export const CURVE_FIELDS: FieldsOf<Required<CurveChoice>> = fieldsOf<Required<CurveChoice>>()(shape);
