import { count, type FieldsOf, fieldsOf, places, positive, share, tries } from "@isthmus/forms";
import { CURVE_KINDS } from "@isthmus/interpolation";
import { RESCALINGS, UNIT_CHOICES } from "@isthmus/paths";
import { NORM_POLICIES } from "@isthmus/statistics";
import { z } from "zod";
import type {
  CurveChoice,
  DropoutPathChoice,
  MechanismsChoice,
  WalkedPathChoice,
} from "../description/path-measurements.ts";

const choice = z.enum(UNIT_CHOICES).optional();
const rescale = z.enum(RESCALINGS).optional();
const trials = tries(1).optional();
const statistics = z.enum(NORM_POLICIES).optional();
/** Most places on one line of a path, and most bends. */
const MOST = 1000;

/** Fields of {@link DropoutPathChoice}. */
export const DROPOUT_PATH_FIELDS: FieldsOf<DropoutPathChoice> = fieldsOf<DropoutPathChoice>()({
  choice,
  rescale,
  trials,
  statistics,
  pointsPerLine: count(1, MOST).optional(),
});

/** Fields of {@link WalkedPathChoice}. */
export const WALKED_PATH_FIELDS: FieldsOf<WalkedPathChoice> = fieldsOf<WalkedPathChoice>()({
  moves: count(1, MOST).optional(),
  trainSteps: count(1).optional(),
  learningRate: positive.optional(),
  statistics,
  points: count(2, MOST).optional(),
});

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
