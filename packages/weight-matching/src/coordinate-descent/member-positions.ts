import { identityPlacement, type PlacementExpander } from "./placement.ts";
import type { Block, Member, UnitTree } from "./unit-tree.ts";

/** For each unit, the unit of this block that it moves with, or -1. */
export function blockOwners(tree: UnitTree, block: Block): Int32Array {
  const index = tree.blocks.indexOf(block);
  const owners = tree.anchor.map((anchor, unit) => (tree.blockOf[unit] === index ? anchor : -1));
  // A follower of units of several blocks moves with its parent in this one.
  for (const family of tree.spec.followers) {
    family.parents.forEach((parents, k) => {
      const unit = family.firstUnit + k;
      const parent = parents.find((candidate) => (owners[candidate] ?? -1) >= 0);
      if ((owners[unit] ?? -1) < 0 && parent !== undefined) owners[unit] = owners[parent] ?? -1;
    });
  }
  return owners;
}

/**
 * For each position, the innermost unit of a block that it moves with, or -1.
 * @param fields - units at each position by several tables, `[positions]` each
 */
export function ownersOfPositions(
  tree: UnitTree,
  fields: readonly Int32Array[],
  owners: Int32Array,
): Int32Array {
  const owned = new Int32Array(fields[0]?.length ?? 0).fill(-1);
  const depthOf = (unit: number) => tree.depthOf[tree.symmetryOf[unit] ?? -1] ?? -1;
  for (const units of fields) {
    units.forEach((unit, position) => {
      const owner = owners[unit] ?? -1;
      if (depthOf(owner) > depthOf(owned[position] ?? -1)) owned[position] = owner;
    });
  }
  return owned;
}

/** For each member of a block, the whole alignment that rotates its units by one within every cell. */
export function rotationsOf(tree: UnitTree, block: Block, expander: PlacementExpander): Int32Array[] {
  return block.members.map((member) => {
    const placement = identityPlacement(tree.spec);
    const { size } = member.symmetry;
    placement[member.index] = placement[member.index]?.map((i) => (i + 1) % size) ?? new Int32Array();
    return expander.expand(placement);
  });
}

/** Positions of every unit of a member in a tensor. */
export interface MemberPositions {
  /** `[units * slots]`; -1 where a unit was not reached. */
  readonly positions: Int32Array;
  readonly slots: number;
}

/**
 * Lists the positions of every unit of a member so that slot `s` of one unit corresponds to slot `s` of
 * another: the first unit's are taken as they come, the others' follow by rotating the symmetry step by step.
 *
 * @param owned - unit of the block that each position moves with, or -1
 * @param maps - how each rotation of the block moves positions
 */
export function positionsOfMember(
  member: Member,
  owned: Int32Array,
  maps: readonly Int32Array[],
): MemberPositions | undefined {
  const { firstUnit, size, cells } = member.symmetry;
  const first: number[] = [];
  owned.forEach((owner, position) => {
    if (owner === firstUnit) first.push(position);
  });
  if (first.length === 0) return undefined;
  const slots = first.length;
  const positions = new Int32Array(cells.length * size * slots).fill(-1);
  const place = (list: Int32Array): boolean => {
    const unit = owned[list[0] ?? 0] ?? -1;
    const at = (unit - firstUnit) * slots;
    if ((positions[at] ?? 0) >= 0) return false;
    positions.set(list, at);
    return true;
  };
  // Breadth first: rotate the member and its ancestors until every unit has been reached.
  const start = Int32Array.from(first);
  place(start);
  let frontier: Int32Array[] = [start];
  while (frontier.length > 0) {
    const next: Int32Array[] = [];
    for (const list of frontier) {
      for (const map of maps) {
        const moved = list.map((position) => map[position] ?? 0);
        if (place(moved)) next.push(moved);
      }
    }
    frontier = next;
  }
  return { positions, slots };
}
