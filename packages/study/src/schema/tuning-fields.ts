import type { ConnectivityRules } from "@isthmus/mechanisms";
import { amount, batch, repeats, seed } from "./numbers.ts";
import { type FieldsOf, fieldsOf } from "./schema-of.ts";

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
