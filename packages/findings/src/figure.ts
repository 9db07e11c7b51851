import type { Plot } from "./plot/plot.ts";

/** A figure of a result, with the texts about it. */
export interface Figure {
  /** Short and unique in its result, in kebab-case: names files and elements. */
  readonly name: string;
  /** Title: the bold beginning of the caption. */
  readonly title: string;
  /** Explanation of how to read the figure, in sentences. */
  readonly caption: string;
  /** Description of the contents in words, for readers who cannot see the figure. */
  readonly words: string;
  /** Name of the table that holds its numbers. */
  readonly table: string;
  /** Width of the figure on a page: the whole page (`hero`) or half of it. */
  readonly size: "hero" | "half";
  /** Plot that is drawn. */
  readonly plot: Plot;
}
