import { at, entry } from "@isthmus/core";
import type { WeightLayout } from "@isthmus/symmetry";
import { type LayoutComponent, layoutComponents, mapComponent } from "@isthmus/symmetry/layout";
import { votes } from "./alignment-objective.ts";
import { blockOwners, ownersOfPositions, positionsOfMember, rotationsOf } from "./member-positions.ts";
import type { PlacementExpander } from "./placement.ts";
import type { Block, Member, UnitTree } from "./unit-tree.ts";

/**
 * A place where the units of a symmetry occur: an axis, or axes that move as one, of one weight.
 *
 * Seen as a panel `[rows, columns]`, row `u * slots + s` is slot `s` of unit `u` and the columns are
 * everything else; the panel of A times the transposed panel of B, summed over slots, is the contribution of
 * the occurrence to the cost `[units, units]` of the symmetry.
 */
export interface Occurrence {
  /** Name of the weight in which the units occur. */
  readonly tensor: string;
  /** Layout of the weight: its view, and the units along its axes. */
  readonly layout: WeightLayout;
  /** Components of the weight: axes, or groups of axes, along which units move as one. */
  readonly components: readonly LayoutComponent[];
  /** Index in `components` of the one whose positions are the rows. */
  readonly moving: number;
  /** Positions of each unit in the moving component, `[units * slots]`. */
  readonly positions: Int32Array;
  /** Number of positions that each unit has along the moving component. */
  readonly slots: number;
  /** Blocks whose placement changes the panel of B. */
  readonly dependsOn: ReadonlySet<number>;
  /** Whether units of the same block occur elsewhere in the weight too, so that the cost is not linear. */
  readonly coupled: boolean;
  /**
   * Whether the same position moves with several units of the block at once: then rows of A and B do not
   * correspond, and the occurrence counts in the objective but not in the costs.
   */
  readonly entangled: boolean;
}

/** All occurrences of one member of a block. */
export type MemberOccurrences = ReadonlyMap<Member, readonly Occurrence[]>;

/** Finds every occurrence of every member of a block in the parameters of a specification. */
export function findOccurrences(
  tree: UnitTree,
  block: Block,
  expander: PlacementExpander,
): MemberOccurrences {
  const occurrences = new Map<Member, Occurrence[]>(block.members.map((member) => [member, []]));
  const owners = blockOwners(tree, block);
  const rotations = rotationsOf(tree, block, expander);
  for (const [tensor, layout] of tree.spec.weights) {
    if (!votes(layout)) continue;
    const components = layoutComponents(layout);
    components.forEach((component, moving) => {
      if (
        !component.fields.some(({ units }) =>
          units.some((unit) => unit >= 0 && at(owners, unit, "unit") >= 0),
        )
      )
        return;
      const fields = component.fields.map(({ units, indices }) =>
        indices.map((index) => at(units, index, "index")),
      );
      const owned = ownersOfPositions(tree, fields, owners);
      const maps = rotations.map((rotation) => mapComponent(component, rotation));
      for (const member of block.members) {
        const positions = positionsOfMember(member, owned, maps);
        if (positions === undefined) continue;
        const dependsOn = dependencies(tree, block, { components, moving });
        const entangled = isEntangled(tree, component, tree.blocks.indexOf(block));
        const coupled = entangled || isCoupled(tree, block, { components, moving });
        const place = { tensor, layout, components, moving, ...positions };
        entry(occurrences, member, "member").push({ ...place, dependsOn, coupled, entangled });
      }
    });
  }
  return occurrences;
}

interface Place {
  readonly components: readonly LayoutComponent[];
  readonly moving: number;
}

/** Finds the blocks other than this one whose units lie in a weight. */
function dependencies(tree: UnitTree, block: Block, { components }: Place): Set<number> {
  const blocks = new Set<number>();
  for (const component of components) {
    for (const other of blocksOfComponent(tree, component)) blocks.add(other);
  }
  blocks.delete(tree.blocks.indexOf(block));
  return blocks;
}

function isCoupled(tree: UnitTree, block: Block, { components, moving }: Place): boolean {
  const index = tree.blocks.indexOf(block);
  return components.some(
    (component, place) => place !== moving && blocksOfComponent(tree, component).has(index),
  );
}

function blocksOfComponent(tree: UnitTree, component: LayoutComponent): Set<number> {
  const blocks = new Set<number>();
  for (const { units } of component.fields) {
    for (const unit of units) {
      if (unit < 0) continue;
      blocks.add(at(tree.blockOf, unit, "unit"));
      for (const shared of tree.sharedBlocks.get(unit) ?? []) blocks.add(shared);
    }
  }
  return blocks;
}

/**
 * Returns the offset in a weight of each unit at one slot of an occurrence, `[units]`.
 *
 * @param offsets - offset of each position of the moving component
 * @param map - position that each position of the component is taken from; undefined if they stay
 */
export function columnOffsets(
  { positions, slots }: Occurrence,
  slot: number,
  offsets: Int32Array,
  map: Int32Array | undefined,
): Int32Array {
  return Int32Array.from({ length: positions.length / slots }, (_, unit) => {
    const position = at(positions, unit * slots + slot, "slot");
    return at(offsets, map === undefined ? position : at(map, position, "position"), "position");
  });
}

/**
 * Checks whether some position of a component moves with two units of one block that do not move together, as
 * in the flattened product of a hidden layer with itself: the contribution of such a position depends on two
 * choices at once.
 * @param block - index of the block
 */
function isEntangled(tree: UnitTree, component: LayoutComponent, block: number): boolean {
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
