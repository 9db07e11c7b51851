/**
 * What becomes of the examples that are left over when an epoch's examples do not divide into batches: `carry` begins the next
 * epoch's first batch with them, so that every example is seen once an epoch; `drop` leaves them out of that epoch.
 */
export type Remainder = "carry" | "drop";

/** Sizes that say where epochs begin and end. */
export interface EpochSizes {
  /** Examples of the data set. */
  readonly examples: number;
  readonly batch: number;
  readonly remainder: Remainder;
}

/**
 * Number of steps until the end of `epochs` epochs: `floor(examples / batch)` each where remainders are dropped, else as many
 * as it takes to have seen them all: `ceil(epochs * examples / batch)`.
 */
export function stepsUntil(epochs: number, { examples, batch, remainder }: EpochSizes): number {
  if (remainder === "drop") return epochs * Math.floor(examples / batch);
  return Math.ceil((epochs * examples) / batch);
}

/** Where an example stands: `epoch`, and `place` in that epoch's order. */
export interface ExamplePlace {
  readonly epoch: number;
  readonly place: number;
}

/** Where the first example of the batch of a step stands; those after it follow, through the end of the epoch. */
export function firstPlaceOf(step: number, { examples, batch, remainder }: EpochSizes): ExamplePlace {
  const perEpoch = remainder === "drop" ? Math.floor(examples / batch) * batch : examples;
  const position = step * batch;
  const epoch = Math.floor(position / perEpoch);
  return { epoch, place: position - epoch * perEpoch };
}
