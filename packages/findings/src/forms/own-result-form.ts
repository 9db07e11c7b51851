import * as z from "zod";
import { PROVENANCE } from "./result-forms.ts";

const text = z.string().optional();

/**
 * Makes the form of results of a kind that has no form of its own: only the fields that all results have are
 * checked.
 */
export function ownResultForm(kind: string): z.ZodType {
  return z.looseObject({
    kind: z.literal(kind),
    network: text,
    a: text,
    b: text,
    networks: z.array(z.string()).optional(),
    data: text,
    examples: z.number().optional(),
    engine: text,
    options: z.record(z.string(), z.unknown()).optional(),
    provenance: PROVENANCE,
  });
}
