import { zodOfField } from "@isthmus/forms";
import { LOSS_FIELD, type NamedLoss } from "@isthmus/graph";
import type * as z from "zod";

/** The loss that networks are measured by, in entries of studies and in the parameters of tasks. */
export interface MeasuredLoss {
  /** Name of the loss. @defaultValue the loss that follows from the labels and the output */
  readonly loss?: NamedLoss;
}

/** Form of {@link MeasuredLoss}. */
export const MEASURED_LOSS: { readonly loss: z.ZodOptional<z.ZodType<NamedLoss>> } = {
  loss: zodOfField(LOSS_FIELD).optional(),
};
