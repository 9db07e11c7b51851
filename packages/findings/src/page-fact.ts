/**
 * A fact on a page about the origin of its result. It has a file of its own, so that its users need no types
 * of the library that draws.
 */
export interface PageFact {
  /** Name of the fact, such as `Seed`. */
  readonly name: string;
  /** Text of the fact, as the page shows it. */
  readonly value: string;
}
