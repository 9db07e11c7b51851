import { z } from "zod";

/** A value of a variable. */
export const VALUE: z.ZodType<string | number> = z.union([z.string(), z.number()]);

/** Values that variables must have. */
export const WHERE: z.ZodType<Readonly<Record<string, string | number | readonly (string | number)[]>>> =
  z.record(z.string(), z.union([VALUE, z.array(VALUE)]));

/** Published data have two splits, and which one is meant must be seen. */
export const NAMED_DATA: z.ZodString = z.string().regex(/^(?!(fashion-)?mnist(@(\d+\.\.)?\d+)?(\+cue=|$))/, {
  error: 'must say which examples, by ":train" or ":test" after the name',
});
