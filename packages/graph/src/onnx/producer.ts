/**
 * Name of the producer in models that Isthmus encodes. Their weights are inputs, so that their initializers
 * are constants.
 */
export const PRODUCER = "isthmus";

/** Metadata key of the name of the scored value, in models that Isthmus encodes. */
export const SCORED = "isthmus.scored";

/** Metadata key of the loss by which networks are scored, in models that Isthmus encodes. */
export const LOSS = "isthmus.loss";
