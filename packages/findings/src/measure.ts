/**
 * What a curve shows: the loss in nats, or the error, which is the share of examples, or of tokens, predicted
 * wrongly.
 */
export type Measure = "loss" | "error";
