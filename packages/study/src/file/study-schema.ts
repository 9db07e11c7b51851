import { schemaOf, seed } from "@isthmus/forms";
import { DEVICE_NAMES } from "@isthmus/graph";
import * as z from "zod";
import type { StudyDescription } from "../description/study-description.ts";
import { figureFields } from "../schema/figure-fields.ts";
import { VALUE, WHERE } from "./entry-fields.ts";

/** Groups of a file before their variables have values; other keys than `for` are checked afterwards. */
type FileGroups = Readonly<
  Record<string, { readonly for?: Readonly<Record<string, string | readonly (string | number)[]>> }>
>;

/**
 * A study as a file describes it, with entries that are not yet checked; a file is never a part of a study.
 */
type FileStudy = Omit<StudyDescription, "only" | "networks" | "measurements"> & {
  readonly networks: FileGroups;
  readonly measurements: FileGroups;
};

const text = z.string();
const source = {
  where: WHERE.optional(),
  variable: text.optional(),
  mean: text.optional(),
  std: text.optional(),
  min: text.optional(),
  max: text.optional(),
  low: text.optional(),
  high: text.optional(),
  count: text.optional(),
  ratio: z.tuple([text, text]).optional(),
  lookup: z.strictObject({ variable: text, values: z.record(text, z.number()) }).optional(),
};

/** Schema of names that become names of files and keys of columns. */
const name = text.regex(/^[A-Za-z][\w-]*$/, { error: "must be letters, digits, - and _, a letter first" });

/** The path of a list whose entries count as results. */
const listed = { each: text.optional() };

const table = z.strictObject({
  title: text,
  of: z.union([text, z.array(text).min(1)]),
  ...listed,
  where: z.union([WHERE, z.array(WHERE).min(1)]).optional(),
  by: z.array(text).min(1),
  columns: z.record(
    name,
    z.strictObject({
      title: text,
      unit: text.optional(),
      labels: z.record(text, text).optional(),
      ...source,
    }),
  ),
  stack: z
    .strictObject({ column: text, parts: z.record(text, z.record(text, z.strictObject(source))) })
    .optional(),
});

/** Schema of the variables of an entry; the other keys of the entry are not checked here. */
const repeated = z.looseObject({
  for: z.record(name, z.union([text, z.array(VALUE)])).optional(),
});

/** A study, with entries that are checked once their variables have values. */
export const STUDY: z.ZodType = schemaOf<FileStudy>()(
  z.strictObject({
    title: text,
    description: text.optional(),
    seed: seed.optional(),
    device: z.enum(DEVICE_NAMES).optional(),
    use: z.array(text).optional(),
    networks: z.record(name, repeated),
    measurements: z.record(name, repeated),
    tables: z.record(name, table),
    figures: z.array(z.strictObject(figureFields(false))).optional(),
  }),
);
