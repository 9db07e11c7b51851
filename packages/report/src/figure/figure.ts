import type { PlotOptions } from "@observablehq/plot";

/** The drawing library, which is loaded by the first figure. */
export type Plot = typeof import("@observablehq/plot");

/** Describes a drawing of a given width, in pixels; its height follows from what it shows. */
export type Drawing = (plot: Plot, width: number) => PlotOptions;

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
  readonly draw: Drawing;
}

/** Widths figures are drawn at, in pixels: full for pages and files, compact for narrow screens. */
export const FIGURE_WIDTHS = { hero: 960, half: 480, compact: 340 } as const;

/** Returns the height that suits a figure of lines or dots, in pixels. */
export function heightFor(width: number): number {
  if (width >= FIGURE_WIDTHS.hero) return 420;
  return width >= FIGURE_WIDTHS.half ? 330 : 300;
}
