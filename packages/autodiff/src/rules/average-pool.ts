import type { Node } from "@isthmus/graph";
import { intAttribute, intsAttribute, stringAttribute } from "@isthmus/graph/ir";
import { cotangent, type GradientRule, operand } from "../gradient-rule.ts";
import { spreadWindows } from "../windows/spread-windows.ts";
import { readWindow, type WindowAxis } from "../windows/window.ts";

/** Mean of every window: each of its elements receives an even share. */
export const averagePoolRule: GradientRule = (context) => {
  const { node } = context;
  const [x, given] = [operand(context, 0), cotangent(context)];
  const axes = readWindow(node, {
    extents: x.shape.slice(2),
    counts: given.shape.slice(2),
    taps: intsAttribute(node, "kernel_shape") ?? [],
  });
  // How many elements a window has is a product over axes, so each axis divides by its own.
  return [spreadWindows(given, axes, (i, window) => 1 / countElements(node, axes, { i, window }))];
};

/** Elements of a window along axis `i` that count: padding does if asked for, what a last window lacks (`ceil_mode`) never. */
function countElements(
  node: Node,
  axes: readonly WindowAxis[],
  { i, window }: { readonly i: number; readonly window: number },
): number {
  const axis = axes[i];
  if (axis === undefined) return 1;
  const counts = intAttribute(node, "count_include_pad", 0) !== 0;
  const isAutomatic = stringAttribute(node, "auto_pad", "NOTSET") !== "NOTSET";
  const declared = isAutomatic ? axis.after : (intsAttribute(node, "pads")?.[axes.length + i] ?? 0);
  const low = counts ? -axis.before : 0;
  const high = axis.extent + (counts ? Math.max(0, declared) : 0);
  const places = Array.from(
    { length: axis.taps },
    (_, tap) => axis.stride * window + axis.dilation * tap - axis.before,
  );
  return Math.max(1, places.filter((place) => place >= low && place < high).length);
}
