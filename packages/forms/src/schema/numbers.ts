import * as z from "zod";

/** Largest number of epochs of a training, and of steps of a search: more would run for years. */
const MOST_REPEATS = 1_000_000;
/** Largest number of examples in a step or in one engine call: memory is taken for all of them. */
const MOST_AT_ONCE = 2 ** 20;
/** Largest number of searches from other starts, and of random directions. */
const MOST_TRIES = 10_000;
/** Largest number of characters of a name, and of a path. */
const MOST_CHARACTERS = 4096;

/** Schema of a whole number of at least `least`, and at most `most`. */
export const count = (least: number, most: number = Number.MAX_SAFE_INTEGER): z.ZodInt =>
  z.int().min(least).max(most);

/** Schema of a number of epochs, or of steps of a search. */
export const repeats = (least: 0 | 1): z.ZodInt => count(least, MOST_REPEATS);
/** Schema of the number of examples in a step, or in one engine call. */
export const batch: z.ZodInt = count(1, MOST_AT_ONCE);
/** Schema of a number of searches from other starts, or of random directions. */
export const tries = (least: 0 | 1): z.ZodInt => count(least, MOST_TRIES);
/** Schema of a seed, which decides all random choices. */
export const seed: z.ZodInt = count(0);

/** Schema of a number of at least 0. */
export const amount: z.ZodNumber = z.number().min(0);
/** Schema of a number above 0. */
export const positive: z.ZodNumber = z.number().positive();
/** Schema of a share of at least 0, and less than 1. */
export const shareBelow1: z.ZodNumber = z.number().min(0).lt(1);
/** Schema of a share of at least 0, and at most 1. */
export const share: z.ZodNumber = z.number().min(0).max(1);

/** Schema of a name, or of a path. */
export const text: z.ZodString = z.string().max(MOST_CHARACTERS);

/** Schema of the beginning of a SHA-256. */
export const fingerprint: z.ZodString = z.string().regex(/^[\da-f]{32}$/, {
  error: "must be 32 hexadecimal digits",
});
