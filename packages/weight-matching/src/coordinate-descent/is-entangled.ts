import type { LayoutComponent } from "@isthmus/symmetry/layout";
import type { UnitTree } from "./unit-tree.ts";

/**
 * Whether some position of a component moves with two units of one block that do not move together, as in the
 * flattened product of a hidden layer with itself: what such a position brings depends on two choices at once.
 * @param block - index of the block
 */
export function isEntangled(tree: UnitTree, component: LayoutComponent, block: number): boolean {
  const owners = new Int32Array(component.size).fill(-1);
  const claim = (position: number, anchor: number): boolean => {
    const owner = owners[position] ?? -1;
    if (owner < 0 || movesWith(tree, anchor, owner)) owners[position] = anchor;
    else return movesWith(tree, owner, anchor);
    return true;
  };
  for (const { units, indices } of component.fields) {
    const own = [...units].map((unit) => anchorsOf(tree, unit).filter((at) => tree.blockOf[at] === block));
    const free = indices.every((index, position) =>
      (own[index] ?? []).every((anchor) => claim(position, anchor)),
    );
    if (!free) return true;
  }
  return false;
}

/** The units of symmetries that a unit moves with: itself, or those its parents move with. */
function anchorsOf(tree: UnitTree, unit: number): readonly number[] {
  if (unit < 0) return [];
  if (tree.anchor[unit] === unit) return [unit];
  return (tree.parentsOf[unit] ?? []).flatMap((parent) => anchorsOf(tree, parent));
}

/** Whether a unit of a symmetry is another one, or is nested in it. */
function movesWith(tree: UnitTree, unit: number, other: number): boolean {
  if (unit === other) return true;
  return (tree.parentsOf[unit] ?? []).some((parent) =>
    anchorsOf(tree, parent).some((anchor) => movesWith(tree, anchor, other)),
  );
}
