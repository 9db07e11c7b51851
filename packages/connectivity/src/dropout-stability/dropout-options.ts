import { BATCH_SIZE_FIELD, choiceField, type FieldsOf, seedField, triesField } from "@isthmus/core";
import type { DataSet, LossOption } from "@isthmus/graph";
import { type NormPolicy, normField } from "@isthmus/statistics";
import { UNIT_CHOICES, type UnitChoice } from "./choose-units.ts";
import { RESCALINGS, type Rescaling } from "./fit-factor.ts";

/** Options of taking out units, and of the evaluation of networks without them. */
export interface DropoutChoice {
  /** Way to choose the units that stay. @defaultValue "random" */
  readonly choice?: UnitChoice;
  /**
   * Rescaling of the units that stay: by the inverse of their share, or, layer by layer, by the factor for
   * which the loss is least.
   * @defaultValue "inverse"
   */
  readonly rescale?: Rescaling;
  /** Number of choices of the units that stay, each from another seed. @defaultValue 3 */
  readonly trials?: number;
  /** Treatment of batch norms of networks without some units. @defaultValue "keep" */
  readonly statistics?: NormPolicy;
  /** Number of examples in one engine call. @defaultValue 100 */
  readonly batchSize?: number;
  /** Seed of the choice of units. @defaultValue 0 */
  readonly seed?: number;
}

/** Fields of {@link DropoutChoice}, which are also options of paths through networks without units. */
export const DROPOUT_FIELDS: FieldsOf<DropoutChoice> = {
  choice: choiceField<UnitChoice>(UNIT_CHOICES, {
    flag: "choose",
    placeholder: "<which>",
    default: "random",
    help: "which units stay: some at random, or the largest, by the norm of the weights into a unit times the norm of the weights out of it",
  }),
  rescale: choiceField<Rescaling>(RESCALINGS, {
    placeholder: "<how>",
    default: "inverse",
    help: "rescale the units that stay by the inverse of their share, or layer by layer so that the loss is least (fit)",
  }),
  trials: triesField({ least: 1, default: 3, help: "choices of units at random" }),
  statistics: normField("keep"),
  batchSize: BATCH_SIZE_FIELD,
  seed: seedField("seed of the choice of units"),
};

/** Inputs of a measurement of networks without some units beside its plain options: data, a signal. */
export interface DropoutRun extends LossOption {
  /** Examples on which statistics are measured. @defaultValue the first 2,500 of the evaluated ones */
  readonly statisticsData?: DataSet | undefined;
  /** Signal that stops the measurement between two evaluations. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
}

/** Progress of a measurement of networks without some units. */
export interface DropoutProgress {
  /** Share of the work that is done, in `[0, 1]`. */
  readonly done: number;
  /** Networks evaluated so far, of `total`. */
  readonly completed: number;
  /** Number of networks that will be evaluated. */
  readonly total: number;
}
