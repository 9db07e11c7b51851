/** Name of the producer in models that we encode: their weights are inputs, so that their initializers are constants. */
export const PRODUCER = "isthmus";
