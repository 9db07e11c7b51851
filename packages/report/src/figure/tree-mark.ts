import type { TreeBracket } from "@isthmus/findings";
import type { Markish } from "@observablehq/plot";
import { customMark } from "./custom-mark.ts";

const TREE_HEIGHT = 56;
/** Pixels between the tree and the frame, and above the tallest join. */
const GAP = { below: 3, above: 8 } as const;

/** Returns the height of a tree above the frame, in pixels; 0 for an empty tree. */
export function treeHeight(tree: readonly TreeBracket[]): number {
  return tree.length === 0 ? 0 : TREE_HEIGHT;
}

/** Draws a tree over the columns of a table, as brackets. */
export function treeMark(tree: readonly TreeBracket[], columns: readonly string[]): Markish {
  return customMark(({ scales, frame, add }) => {
    const [first = "", last = ""] = [columns[0], columns.at(-1)];
    // Columns are evenly spaced around the middle of the frame; the scale gives their left ends.
    const apart = Number(scales.x?.(last)) - Number(scales.x?.(first));
    const from = (frame.marginLeft + frame.width - frame.marginRight - apart) / 2;
    const place = (column: number) => from + (column * apart) / Math.max(1, columns.length - 1);
    const room = TREE_HEIGHT - GAP.below - GAP.above;
    const rise = (height: number) => frame.marginTop - GAP.below - room * height;
    for (const { left, right, leftHeight, rightHeight, height } of tree) {
      add("path", {
        d: `M${place(left)},${rise(leftHeight)}V${rise(height)}H${place(right)}V${rise(rightHeight)}`,
        fill: "none",
        stroke: "var(--isthmus-muted)",
        "stroke-width": 1.25,
      });
    }
  });
}
