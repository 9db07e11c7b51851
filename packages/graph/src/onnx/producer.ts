/**
 * Name of the producer in models that we encode, whose weights are inputs, so that
 * their initializers are constants.
 */
export const PRODUCER = "isthmus";
