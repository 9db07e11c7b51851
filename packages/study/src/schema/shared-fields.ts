import { examples, type FieldsOf, fieldsOf, positive, repeats } from "@isthmus/forms";
import {
  HEAD_GROUPS,
  LEARNED_PLACES,
  LEARNED_RULES,
  LEARNED_UNITS,
  type MatchLearnedOptions,
} from "@isthmus/weight-matching";
import { z } from "zod";

/** Options of learning an alignment that a study and its tasks call by the same names. */
export type LearningOptions = Pick<
  MatchLearnedOptions,
  "examples" | "steps" | "learningRate" | "at" | "units" | "rule" | "heads"
>;

/** Fields of {@link LearningOptions}. */
export const LEARNING_FIELDS: FieldsOf<LearningOptions> = fieldsOf<LearningOptions>()({
  examples: examples(1).optional(),
  steps: repeats(0).optional(),
  learningRate: positive.optional(),
  at: z.enum(LEARNED_PLACES).optional(),
  units: z.enum(LEARNED_UNITS).optional(),
  rule: z.enum(LEARNED_RULES).optional(),
  heads: z.enum(HEAD_GROUPS).optional(),
});
