import type { PlotOptions } from "@observablehq/plot";

/** The drawing library, which is loaded by the first figure. */
export type PlotLibrary = typeof import("@observablehq/plot");

/** Describes a drawing of a given width, in pixels; its height follows from its contents. */
export type Drawing = (plot: PlotLibrary, width: number) => PlotOptions;

/** Widths of figures, in pixels: hero and half for pages and files, compact for narrow screens. */
export const FIGURE_WIDTHS = { hero: 960, half: 480, compact: 340 } as const;

/** Returns the height of a figure of lines or dots, in pixels. */
export function heightFor(width: number): number {
  if (width >= FIGURE_WIDTHS.hero) return 420;
  return width >= FIGURE_WIDTHS.half ? 330 : 300;
}
