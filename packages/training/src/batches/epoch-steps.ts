/**
 * Rule for the examples that are left over when an epoch's examples do not divide into batches: `carry`
 * begins the next epoch's first batch with them, so that every example is seen once an epoch; `drop` leaves
 * them out of that epoch.
 */
export type Remainder = "carry" | "drop";

/** Sizes that decide at which steps epochs begin and end. */
export interface EpochSizes {
  /** Examples of the data set. */
  readonly examples: number;
  /** Number of examples in a step. */
  readonly batch: number;
  /** Rule for examples that are left over when an epoch does not divide into batches. */
  readonly remainder: Remainder;
}

/**
 * Returns the number of steps until the end of `epochs` epochs: `floor(examples / batch)` for each epoch if
 * remainders are dropped, else `ceil(epochs * examples / batch)`, after which every example has been seen in
 * every epoch.
 */
export function stepsUntil(epochs: number, { examples, batch, remainder }: EpochSizes): number {
  if (remainder === "drop") return epochs * Math.floor(examples / batch);
  return Math.ceil((epochs * examples) / batch);
}

/** The place of an example in a training: the epoch, and the position in that epoch's order, both from 0. */
export interface ExamplePlace {
  /** Epoch, from 0. */
  readonly epoch: number;
  /** Position in the order of the epoch, from 0. */
  readonly place: number;
}

/**
 * Returns the place of the first example of a step's batch. The other examples of the batch follow it in
 * order, across the end of the epoch if needed.
 */
export function firstPlaceOf(step: number, { examples, batch, remainder }: EpochSizes): ExamplePlace {
  const perEpoch = remainder === "drop" ? Math.floor(examples / batch) * batch : examples;
  const position = step * batch;
  const epoch = Math.floor(position / perEpoch);
  return { epoch, place: position - epoch * perEpoch };
}
