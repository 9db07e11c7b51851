/**
 * Something a page says about how its result was made. It stands alone, as who uses it needs no types of
 * the library that draws.
 */
export interface PageFact {
  readonly name: string;
  readonly value: string;
}
