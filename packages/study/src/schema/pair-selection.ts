import { batch, fieldsOf, type SchemasOf, tries, zodOfForm } from "@isthmus/forms";
import { LEARNED_FIELDS } from "@isthmus/weight-matching";
import * as z from "zod";
import { ALIGN_CHOICES, type MatchChoice, type PairSelection } from "../description/pair-selection.ts";
import type { PathMeasurement } from "../description/path-measurements.ts";
import { NAMED_DATA, WHERE } from "../file/entry-fields.ts";
import { shapeOfFields } from "./zod-of-form.ts";

// The seed of a study is that of everything in it; the other two are left to tasks.
const { seed: _, streamExamples: __, rounds: ___, batchSize, ...LEARNING } = LEARNED_FIELDS;

const match = z.strictObject({
  data: NAMED_DATA.optional(),
  batch: zodOfForm(batchSize.form).optional().describe(batchSize.help),
  ...shapeOfFields(LEARNING),
}) as z.ZodType as z.ZodType<MatchChoice>;

/** Selection of pairs of networks, with the keys that all their measurements have beside their options. */
type SelectedPairs = PairSelection & Pick<PathMeasurement, "statisticsData" | "batchSize">;

/**
 * Schemas of the keys of an entry that select pairs of networks, and the alignment of the second to the
 * first.
 */
export const PAIR_SELECTION: SchemasOf<SelectedPairs> = fieldsOf<SelectedPairs>()({
  between: z.union([z.string(), z.tuple([z.string(), z.string()])]),
  across: z.string().optional(),
  choose: z.enum(["all", "consecutive", "disjoint"]).optional(),
  align: z.enum(ALIGN_CHOICES).optional(),
  where: WHERE.optional(),
  restarts: tries(1).optional(),
  match: match.optional(),
  statisticsData: NAMED_DATA.optional(),
  batchSize: batch.optional(),
});
