import { type LayoutComponent, layoutComponents, mapComponent, type WeightLayout } from "@isthmus/graph";
import { votes } from "./alignment-objective.ts";
import { isEntangled } from "./is-entangled.ts";
import { identityPlacement, type PlacementExpander } from "./placement.ts";
import type { Block, Member, UnitTree } from "./unit-tree.ts";

/**
 * One place where the units of a symmetry occur: an axis, or axes that move as one, of one weight.
 *
 * Seen as a panel `[rows, columns]`, row `u * slots + s` is slot `s` of unit `u` and the columns are
 * everything else; the panel of A times the transposed panel of B, summed over slots, is what the
 * occurrence adds to the cost `[units, units]` of the symmetry.
 */
export interface Occurrence {
  readonly tensor: string;
  readonly layout: WeightLayout;
  readonly components: readonly LayoutComponent[];
  /** Index in `components` of the one whose positions are the rows. */
  readonly moving: number;
  /** Positions of each unit in the moving component, `[units * slots]`. */
  readonly positions: Int32Array;
  readonly slots: number;
  /** Blocks whose placement changes the panel of B. */
  readonly dependsOn: ReadonlySet<number>;
  /** Whether units of the same block occur elsewhere in the weight too, so that the cost is not linear. */
  readonly coupled: boolean;
  /**
   * Whether the same position moves with several units of the block at once: then rows of A and B do not correspond,
   * and the occurrence counts in the objective but not in the costs.
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
      const owned = ownersOfPositions(tree, component, owners);
      for (const member of block.members) {
        const positions = positionsOfMember(member, { component, owned, rotations });
        if (positions === undefined) continue;
        const dependsOn = dependencies(tree, block, { components, moving });
        const entangled = isEntangled(tree, component, tree.blocks.indexOf(block));
        const coupled = entangled || isCoupled(tree, block, { components, moving });
        const place = { tensor, layout, components, moving, ...positions };
        occurrences.get(member)?.push({ ...place, dependsOn, coupled, entangled });
      }
    });
  }
  return occurrences;
}

/** For each unit, the unit of this block that it moves with, or -1. */
function blockOwners(tree: UnitTree, block: Block): Int32Array {
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

function ownersOfPositions(tree: UnitTree, component: LayoutComponent, owners: Int32Array): Int32Array {
  const owned = new Int32Array(component.size).fill(-1);
  const depthOf = (unit: number) => tree.depthOf[tree.symmetryOf[unit] ?? -1] ?? -1;
  for (const { units, indices } of component.fields) {
    indices.forEach((index, position) => {
      const owner = owners[units[index] ?? -1] ?? -1;
      if (depthOf(owner) > depthOf(owned[position] ?? -1)) owned[position] = owner;
    });
  }
  return owned;
}

/** For each member, the whole alignment that rotates its units by one within every cell. */
function rotationsOf(
  tree: UnitTree,
  block: Block,
  expander: PlacementExpander,
): ReadonlyMap<Member, Int32Array> {
  return new Map(
    block.members.map((member) => {
      const placement = identityPlacement(tree.spec);
      const { size } = member.symmetry;
      placement[member.index] = placement[member.index]?.map((i) => (i + 1) % size) ?? new Int32Array();
      return [member, expander.expand(placement)];
    }),
  );
}

interface PositionTask {
  readonly component: LayoutComponent;
  /** Unit of the block that each position of the component moves with, or -1. */
  readonly owned: Int32Array;
  readonly rotations: ReadonlyMap<Member, Int32Array>;
}

/**
 * Lists the positions of every unit of a member so that slot `s` of one unit corresponds to slot `s` of
 * another: the first unit's are taken as they come, the others' follow by rotating the symmetry step by step.
 */
function positionsOfMember(
  member: Member,
  { component, owned, rotations }: PositionTask,
): { positions: Int32Array; slots: number } | undefined {
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
  const maps = [...rotations.values()].map((rotation) => mapComponent(component, rotation));
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

interface Place {
  readonly components: readonly LayoutComponent[];
  readonly moving: number;
}

/** Blocks other than this one whose units lie in a weight. */
function dependencies(tree: UnitTree, block: Block, { components }: Place): Set<number> {
  const blocks = new Set<number>();
  for (const component of components)
    for (const found of blocksOfComponent(tree, component)) blocks.add(found);
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
      blocks.add(tree.blockOf[unit] ?? -1);
      for (const shared of tree.sharedBlocks.get(unit) ?? []) blocks.add(shared);
    }
  }
  return blocks;
}
