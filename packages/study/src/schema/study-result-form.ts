import { schemaOf } from "@isthmus/forms";
import { z } from "zod";
import type { StudyResult } from "../study-result.ts";

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
          }),
        ),
        rows: z.array(z.record(z.string(), z.union([z.string(), z.number(), z.null()]))),
      }),
    ),
    figures: z.array(
      z.looseObject({
        title: text,
        caption: text,
        table: text,
        mark: z.enum(["line", "bar", "dot", "heat"]),
        x: text,
        y: text,
        low: text.optional(),
        high: text.optional(),
        series: text.optional(),
        xScale: z.enum(["linear", "log", "band"]).optional(),
        yScale: z.enum(["linear", "log"]).optional(),
        color: text.optional(),
        colorScale: z.enum(["linear", "log", "unit", "diverging"]).optional(),
        borders: z.array(z.looseObject({ of: text, at: z.number() })).optional(),
        best: z.enum(["least", "greatest"]).optional(),
      }),
    ),
    seed: count,
  }),
);
