import { at } from "@isthmus/core";
import type { ConfigReader, Pair } from "../config-reader.ts";

/** Window that moves over height and width. */
export interface LayerWindow {
  /** Height and width of the window, in taps. */
  readonly taps: Pair;
  /** Rows and columns from one position of the window to the next. */
  readonly strides: Pair;
  /** Rows and columns between neighbouring taps; 1 for dense windows. */
  readonly dilations: Pair;
}

/**
 * Computes the pads of `valid` and `same`, all beginnings, then all ends: `same` gives one window for each
 * stride, with the odd element of the padding at the end.
 */
export function padsOf(
  config: ConfigReader,
  extents: Pair,
  { taps, strides, dilations }: LayerWindow,
): number[] {
  const padding = config.text("padding", "valid");
  config.assert("padding", padding === "valid" || padding === "same", "valid or same");
  const totals = extents.map((extent, i) => {
    const tap = at(taps, i, "tap");
    const [stride, dilation] = [at(strides, i, "stride"), at(dilations, i, "dilation")];
    const windows = Math.ceil(extent / stride);
    const reach = (windows - 1) * stride + dilation * (tap - 1) + 1;
    if (padding === "same") return Math.max(0, reach - extent);
    if (extent >= dilation * (tap - 1) + 1) return 0;
    throw config.malformed("kernel_size", "at most as large as the image", tap);
  });
  return [...totals.map((total) => Math.floor(total / 2)), ...totals.map((total) => Math.ceil(total / 2))];
}
