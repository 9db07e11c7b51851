import { z } from "zod";

/** Most epochs of a training, and most steps of a search: more would run for years. */
const MOST_REPEATS = 1_000_000;
/** Most examples in a step or in one engine call: memory is taken for all of them. */
const MOST_AT_ONCE = 2 ** 20;
/** Most searches from other starts, and most random directions. */
const MOST_TRIES = 10_000;
/** Most characters of a name, and of a path. */
const MOST_CHARACTERS = 4096;

/** A whole number of at least `least`, and at most `most`. */
export const count = (least: number, most: number = Number.MAX_SAFE_INTEGER): z.ZodInt =>
  z.int().min(least).max(most);

/** Epochs, or steps of a search. */
export const repeats = (least: 0 | 1): z.ZodInt => count(least, MOST_REPEATS);
/** Examples in a step, or in one engine call. */
export const batch: z.ZodInt = count(1, MOST_AT_ONCE);
/** Searches from other starts, or random directions. */
export const tries = (least: 0 | 1): z.ZodInt => count(least, MOST_TRIES);
/** Decides what is random. */
export const seed: z.ZodInt = count(0);

/** A number of at least 0. */
export const amount: z.ZodNumber = z.number().min(0);
/** A number above 0. */
export const positive: z.ZodNumber = z.number().positive();
/** A share of at least 0, and less than 1. */
export const shareBelow1: z.ZodNumber = z.number().min(0).lt(1);
/** A share of at least 0, and at most 1. */
export const share: z.ZodNumber = z.number().min(0).max(1);

/** The name of something, or a path. */
export const text: z.ZodString = z.string().max(MOST_CHARACTERS);

/** The beginning of a SHA-256. */
export const fingerprint: z.ZodString = z.string().regex(/^[\da-f]{32}$/, {
  error: "must be 32 hexadecimal digits",
});
