import * as z from "zod";

/** Schema of a value of a variable. */
export const VALUE: z.ZodType<string | number> = z.union([z.string(), z.number()]);

/** Schema of the values that variables must have, by name. */
export const WHERE: z.ZodType<Readonly<Record<string, string | number | readonly (string | number)[]>>> =
  z.record(z.string(), z.union([VALUE, z.array(VALUE)]));

/**
 * Schema of the name of examples. Published data have two splits, and the name must say which of them is
 * meant.
 */
export const NAMED_DATA: z.ZodString = z.string().regex(/^(?!(fashion-)?mnist(@(\d+\.\.)?\d+)?(\+cue=|$))/, {
  error: 'must say which examples, by ":train" or ":test" after the name',
});
