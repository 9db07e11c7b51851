import { count, type FieldsOf, fieldsOf, places, share } from "@isthmus/forms";
import { CURVE_KINDS } from "@isthmus/interpolation";
import { NORM_POLICIES } from "@isthmus/statistics";
import { z } from "zod";
import type { CurveChoice, MechanismsChoice } from "../description/path-measurements.ts";

const statistics = z.enum(NORM_POLICIES).optional();
/** Most bends. */
const MOST = 1000;

/** Fields of {@link MechanismsChoice}. */
export const MECHANISMS_FIELDS: FieldsOf<MechanismsChoice> = fieldsOf<MechanismsChoice>()({
  statistics,
  points: places(3).optional(),
  tolerance: share.optional(),
});

const shape = {
  curve: z.enum(CURVE_KINDS),
  bends: count(1, MOST),
  points: places(3),
  statistics: z.enum(NORM_POLICIES),
};

/** Fields of {@link CurveChoice} where all are named. */
export const CURVE_FIELDS: FieldsOf<Required<CurveChoice>> = fieldsOf<Required<CurveChoice>>()(shape);
