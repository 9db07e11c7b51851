import type { Plot } from "./plot/plot.ts";

/** A picture of a result, and what is said about it. */
export interface Figure {
  /** Short and unique in its result, in kebab-case: names files and elements. */
  readonly name: string;
  /** What it shows, as the bold beginning of its caption. */
  readonly title: string;
  /** How to read it, in sentences. */
  readonly caption: string;
  /** What it shows, for those who do not see it. */
  readonly words: string;
  /** Name of the table that holds its numbers. */
  readonly table: string;
  readonly size: "hero" | "half";
  /** What is drawn. */
  readonly plot: Plot;
}
