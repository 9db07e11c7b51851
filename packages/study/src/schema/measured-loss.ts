import { type FieldsOf, fieldsOf } from "@isthmus/forms";
import { LOSSES, type LossName } from "@isthmus/graph";
import { z } from "zod";

/** The loss that a task measures networks by. */
export interface MeasuredLoss {
  /** Name of the loss. @defaultValue the one that follows from the labels and the output */
  readonly loss?: LossName;
}

/** Fields of {@link MeasuredLoss}. */
export const LOSS_FIELDS: FieldsOf<MeasuredLoss> = fieldsOf<MeasuredLoss>()({
  loss: z.enum(LOSSES.map(({ name }) => name)).optional(),
});
