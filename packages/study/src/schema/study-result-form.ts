import { schemaOf } from "@isthmus/forms";
import * as z from "zod";
import type { StudyResult } from "../study-result.ts";
import { figureFields } from "./figure-fields.ts";

const count = z.int().min(0);
const text = z.string();

/** Schema of the names of tables, which become names of files. */
const tableName = z.string().regex(/^\w[\w.-]*$/, {
  error: "must be made of letters, digits, dots, underscores and hyphens",
});
const values = z.record(text, z.array(z.union([text, z.number()])));
const group = z.looseObject({ name: text, count, variables: values, settings: z.looseObject({}) });
/** Form of the result of a study, as files hold it. */
export const STUDY_RESULT_FORM: z.ZodType = schemaOf<StudyResult>()(
  z.looseObject({
    kind: z.literal("study"),
    title: text,
    description: text,
    only: values.optional(),
    networks: z.array(group).optional(),
    measurements: z.array(group).optional(),
    tables: z.array(
      z.looseObject({
        name: tableName,
        title: text,
        of: z.array(text).optional(),
        measured: z
          .array(z.looseObject({ data: text, examples: count, points: count.optional() }))
          .optional(),
        columns: z.array(
          z.looseObject({
            key: text,
            title: text,
            unit: text.optional(),
            aggregate: z.enum(["mean", "std", "min", "max", "low", "high", "count"]).optional(),
            counts: z.array(count).optional(),
            deviations: z.array(z.number().nullable()).optional(),
          }),
        ),
        rows: z.array(z.record(z.string(), z.union([z.string(), z.number(), z.null()]))),
      }),
    ),
    figures: z.array(z.looseObject(figureFields(true))),
    seed: count,
  }),
);
