import type { ConfigReader, Pair } from "../config-reader.ts";

/** How a window moves over height and width. */
export interface LayerWindow {
  readonly taps: Pair;
  readonly strides: Pair;
  readonly dilations: Pair;
}

/**
 * Pads of `valid` and `same`, all beginnings, then all ends: `same` gives as many windows as strides fit, with the odd element at
 * the end.
 */
export function padsOf(
  config: ConfigReader,
  extents: Pair,
  { taps, strides, dilations }: LayerWindow,
): number[] {
  const padding = config.text("padding", "valid");
  config.assert("padding", padding === "valid" || padding === "same", "valid or same");
  const totals = extents.map((extent, i) => {
    const [tap, stride, dilation] = [taps[i] ?? 1, strides[i] ?? 1, dilations[i] ?? 1];
    const windows = Math.ceil(extent / stride);
    const reach = (windows - 1) * stride + dilation * (tap - 1) + 1;
    if (padding === "same") return Math.max(0, reach - extent);
    if (extent >= dilation * (tap - 1) + 1) return 0;
    throw config.malformed("kernel_size", "at most as large as the image", tap);
  });
  const before = totals.map((total) => Math.floor(total / 2));
  return [...before, ...totals.map((total, i) => total - (before[i] ?? 0))];
}
