import { choiceField, type Field } from "@isthmus/core";
import { STATISTICS_CHOICES, type StatisticsChoice } from "./choose-statistics.ts";
import { NORM_POLICIES, type NormPolicy } from "./statistics-policy.ts";

/** Field of the policy for the statistics of activations of networks that are averages of two. */
export const STATISTICS_FIELD: Field<StatisticsChoice> = choiceField(STATISTICS_CHOICES, {
  placeholder: "<policy>",
  default: "auto",
  help: "how statistics of activations are corrected between the ends: recalibrate batch norms, repair all layers, keep them, or auto, which recalibrates if there are batch norms",
});

/** Makes the field of the policy for batch norms of networks other than averages of two. */
export function normField(missing: NormPolicy): Field<NormPolicy> {
  return choiceField<NormPolicy>(NORM_POLICIES, {
    placeholder: "<policy>",
    default: missing,
    help: "whether statistics of batch norms are measured anew in every network, or kept",
  });
}
