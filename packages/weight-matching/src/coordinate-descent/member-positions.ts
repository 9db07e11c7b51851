import { at } from "@isthmus/core";
import { identityPlacement, type PlacementExpander } from "./placement.ts";
import type { Block, Member, UnitTree } from "./unit-tree.ts";

/** Finds for each unit the unit of this block that it moves with, or -1. */
export function blockOwners(tree: UnitTree, block: Block): Int32Array {
  const index = tree.blocks.indexOf(block);
  const owners = tree.anchor.map((anchor, unit) => (tree.blockOf[unit] === index ? anchor : -1));
  // A follower of units of several blocks moves with its parent in this one.
  for (const family of tree.spec.followers) {
    family.parents.forEach((parents, k) => {
      const unit = family.firstUnit + k;
      const parent = parents.find((candidate) => at(owners, candidate, "unit") >= 0);
      if (parent !== undefined && at(owners, unit, "unit") < 0) owners[unit] = at(owners, parent, "unit");
    });
  }
  return owners;
}

/**
 * Finds for each position the innermost unit of a block that it moves with, or -1.
 * @param fields - units at each position by several tables, `[positions]` each
 */
export function ownersOfPositions(
  tree: UnitTree,
  fields: readonly Int32Array[],
  owners: Int32Array,
): Int32Array {
  const owned = new Int32Array(at(fields, 0, "field").length).fill(-1);
  const depthOf = (unit: number) =>
    unit < 0 ? -1 : at(tree.depthOf, at(tree.symmetryOf, unit, "unit"), "symmetry");
  for (const units of fields) {
    units.forEach((unit, position) => {
      const owner = unit < 0 ? -1 : at(owners, unit, "unit");
      if (depthOf(owner) > depthOf(at(owned, position, "position"))) owned[position] = owner;
    });
  }
  return owned;
}

/** Creates for each member of a block the whole alignment that rotates its units by one within every cell. */
export function rotationsOf(tree: UnitTree, block: Block, expander: PlacementExpander): Int32Array[] {
  return block.members.map((member) => {
    const placement = identityPlacement(tree.spec);
    const { size } = member.symmetry;
    placement[member.index] = at(placement, member.index, "symmetry").map((i) => (i + 1) % size);
    return expander.expand(placement);
  });
}

/** Positions of every unit of a member in a tensor. */
export interface MemberPositions {
  /** Positions `[units * slots]`; -1 for units that were not reached. */
  readonly positions: Int32Array;
  /** Number of positions that each unit has in the tensor. */
  readonly slots: number;
}

/**
 * Lists the positions of every unit of a member so that slot `s` of one unit corresponds to slot `s` of
 * another: the positions of the first unit are taken in order, the others follow by rotating the symmetry
 * step by step.
 *
 * @param owned - unit of the block that each position moves with, or -1
 * @param maps - position that each rotation of the block takes each position from
 */
export function positionsOfMember(
  member: Member,
  owned: Int32Array,
  maps: readonly Int32Array[],
): MemberPositions | undefined {
  const { firstUnit, size, cells } = member.symmetry;
  const listOf = (unit: number): Int32Array => {
    const list: number[] = [];
    owned.forEach((owner, position) => {
      if (owner === unit) list.push(position);
    });
    return Int32Array.from(list);
  };
  const first = listOf(firstUnit);
  if (first.length === 0) return undefined;
  const slots = first.length;
  const positions = new Int32Array(cells.length * size * slots).fill(-1);
  const place = (list: Int32Array): boolean => {
    const unit = at(owned, at(list, 0, "slot"), "position") - firstUnit;
    // A rotation may also take a position to one that moves with another member, or with none.
    if (unit < 0 || unit * slots >= positions.length) return false;
    if (at(positions, unit * slots, "slot") >= 0) return false;
    positions.set(list, unit * slots);
    return true;
  };
  // Breadth first: rotate the member and its ancestors until no further unit is reached.
  const reachFrom = (start: Int32Array): void => {
    place(start);
    let frontier: Int32Array[] = [start];
    while (frontier.length > 0) {
      const next: Int32Array[] = [];
      for (const list of frontier) {
        for (const map of maps) {
          const moved = list.map((position) => at(map, position, "position"));
          if (place(moved)) next.push(moved);
        }
      }
      frontier = next;
    }
  };
  reachFrom(first);
  // No rotation of the block reaches cells whose parents are in other blocks. They are matched cell by cell,
  // so their slots need not correspond to the slots of other cells.
  for (let unit = 0; unit < cells.length * size; unit += size) {
    if (at(positions, unit * slots, "slot") >= 0) continue;
    const list = listOf(firstUnit + unit);
    if (list.length === slots) reachFrom(list);
  }
  return { positions, slots };
}
