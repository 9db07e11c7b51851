import { BATCH_SIZE_FIELD, type FieldsOf, flagField, placesField } from "@isthmus/core";
import { type NormPolicy, normField } from "@isthmus/statistics";
import { WALK_FIELDS, type WalkChoice } from "./walk-options.ts";

/** Options of the measurement of a walked path that are plain data. */
export interface WalkedPathChoice extends WalkChoice {
  /**
   * Number of evenly spaced places on the straight line and on paths beside it, at least 2.
   * @defaultValue 25
   */
  readonly points?: number;
  /** Treatment of batch norms between the ends. @defaultValue "recalibrate" */
  readonly statistics?: NormPolicy;
  /** Number of examples in one engine call of an evaluation. @defaultValue 100 */
  readonly batchSize?: number;
  /**
   * Whether a Bezier curve is trained in about as many steps as the walk takes, and measured beside it.
   * @defaultValue false
   */
  readonly bezier?: boolean;
}

/** Fields of {@link WalkedPathChoice}. */
export const WALKED_PATH_FIELDS: FieldsOf<WalkedPathChoice> = {
  ...WALK_FIELDS,
  points: placesField({
    least: 2,
    default: 25,
    help: "evenly spaced places on the lines beside the path",
  }),
  statistics: normField("recalibrate"),
  batchSize: BATCH_SIZE_FIELD,
  bezier: flagField({
    default: false,
    keyed: "if-changed",
    help: "train a Bezier curve in about as many steps, too, and measure it beside the path",
  }),
};

/** Progress of `measureWalkedPath`. */
export interface WalkedPathProgress {
  /** Share of the work that is done, in `[0, 1]`. */
  readonly done: number;
  /**
   * Work under way: the training of the Bezier curve, the walk, or the measurement of the lines beside it.
   */
  readonly stage: "curve" | "walk" | "measure";
  /** Name of the layer that walks. */
  readonly layer?: string;
}
