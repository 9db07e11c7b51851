import { choiceField, type FieldsOf, wholeField } from "@isthmus/core";
import { CURVE_KINDS, type CurveKind } from "@isthmus/interpolation";
import { TRAINING_FIELDS, type TrainingChoice } from "@isthmus/training";
import { MEASURE_PATH_FIELDS, type MeasurePathChoice } from "../path/measure-path.ts";

/** Shape of a curve. */
export interface CurveShape {
  /** Shape of the curve. @defaultValue "bezier" */
  readonly curve?: CurveKind;
  /** Number of networks between the ends, which are trained, at least 1. @defaultValue 1 */
  readonly bends?: number;
}

/** Largest number of networks between the ends: each takes as much memory as an end. */
const MOST_BENDS = 500;

/** Fields of {@link CurveShape}. */
export const CURVE_SHAPE_FIELDS: FieldsOf<CurveShape> = {
  curve: choiceField<CurveKind>(CURVE_KINDS, {
    default: "bezier",
    placeholder: "<kind>",
    help: "one curve drawn towards the bends, or a chain of lines through them",
  }),
  bends: wholeField({
    least: 1,
    most: MOST_BENDS,
    default: 1,
    help: "number of networks to train between the ends",
  }),
};

/** Options of a curve that is trained and measured: its shape, its training, and the places on it. */
export type CurveChoice = CurveShape & TrainingChoice & MeasurePathChoice;

/** Fields of {@link CurveChoice}. */
export const CURVE_FIELDS: FieldsOf<CurveChoice> = {
  ...CURVE_SHAPE_FIELDS,
  ...TRAINING_FIELDS,
  ...MEASURE_PATH_FIELDS,
};
