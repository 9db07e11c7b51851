import { amount, batch, type FieldsOf, fieldsOf, repeats, seed } from "@isthmus/forms";
import type { ConnectivityRules } from "@isthmus/mechanisms";

/** Fields of {@link ConnectivityRules}. */
export const CONNECTIVITY_FIELDS: FieldsOf<ConnectivityRules> = fieldsOf<ConnectivityRules>()({
  seed,
  epochs: repeats(1).optional(),
  batch: batch.optional(),
  learningRate: amount.optional(),
  weightDecay: amount.optional(),
  margin: amount.optional(),
  invariance: amount.optional(),
  warmup: repeats(0).optional(),
});
