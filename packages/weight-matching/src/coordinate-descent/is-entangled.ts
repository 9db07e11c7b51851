import { at } from "@isthmus/core";
import type { LayoutComponent } from "@isthmus/symmetry/layout";
import type { UnitTree } from "./unit-tree.ts";

/**
 * Checks whether some position of a component moves with two units of one block that do not move together, as
 * in the flattened product of a hidden layer with itself: the contribution of such a position depends on two
 * choices at once.
 * @param block - index of the block
 */
export function isEntangled(tree: UnitTree, component: LayoutComponent, block: number): boolean {
  const owners = new Int32Array(component.size).fill(-1);
  const claim = (position: number, anchor: number): boolean => {
    const owner = at(owners, position, "position");
    if (owner < 0 || movesWith(tree, anchor, owner)) owners[position] = anchor;
    else return movesWith(tree, owner, anchor);
    return true;
  };
  for (const { units, indices } of component.fields) {
    const anchors = [...units].map((unit) =>
      anchorsOf(tree, unit).filter((anchor) => tree.blockOf[anchor] === block),
    );
    const free = indices.every((index, position) =>
      at(anchors, index, "position").every((anchor) => claim(position, anchor)),
    );
    if (!free) return true;
  }
  return false;
}

/** Finds the units of symmetries that a unit moves with: itself, or the units that its parents move with. */
function anchorsOf(tree: UnitTree, unit: number): readonly number[] {
  if (unit < 0) return [];
  if (tree.anchor[unit] === unit) return [unit];
  return at(tree.parentsOf, unit, "unit").flatMap((parent) => anchorsOf(tree, parent));
}

/** Checks whether a unit of a symmetry is another one, or is nested in it. */
function movesWith(tree: UnitTree, unit: number, other: number): boolean {
  if (unit === other) return true;
  return at(tree.parentsOf, unit, "unit").some((parent) =>
    anchorsOf(tree, parent).some((anchor) => movesWith(tree, anchor, other)),
  );
}
