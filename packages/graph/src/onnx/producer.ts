/**
 * Name of the producer in models that we encode, whose weights are inputs, so that
 * their initializers are constants.
 */
export const PRODUCER = "isthmus";

/** Key of the metadata of models that we encode, under which the name of the scored value is kept. */
export const SCORED = "isthmus.scored";

/** Key of the metadata of models that we encode, under which the loss is kept that networks are scored by. */
export const LOSS = "isthmus.loss";
