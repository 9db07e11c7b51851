import type { AnyField } from "@isthmus/core";
import { shapeOfFields as shapeOfAny } from "@isthmus/forms";
import { LOSS, OPTIMIZER, SCHEDULE } from "@isthmus/training/forms";
import type * as z from "zod";

/** Schemas of the forms that trainings define, by their names. */
const SPECIAL: ReadonlyMap<string, z.ZodType> = new Map<string, z.ZodType>([
  ["loss", LOSS],
  ["optimizer", OPTIMIZER],
  ["schedule", SCHEDULE],
]);

/**
 * Makes the schemas of the options that fields describe.
 * @param required - names of the options that must be there; any other may be missing
 */
export function shapeOfFields(
  fields: Readonly<Record<string, AnyField>>,
  required: readonly string[] = [],
): Record<string, z.ZodType> {
  return shapeOfAny(fields, required, SPECIAL);
}
