/**
 * Quantity that a curve shows: the loss in nats, or the error, which is the share of examples, or of tokens,
 * predicted wrongly.
 */
export type Measure = "loss" | "error";

/** Quantities that are measured along a path, in the order of tables. */
export const MEASURES: readonly Measure[] = ["loss", "error"];
