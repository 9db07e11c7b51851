import { at } from "@isthmus/core";
import type { Symmetry, SymmetrySpec } from "@isthmus/symmetry";

/** A symmetry of a specification and its place among the others. */
export interface Member {
  /** Index in `spec.symmetries`. */
  readonly index: number;
  /** Symmetry of the specification: its cells and the number of units in each. */
  readonly symmetry: Symmetry;
  /** Members whose cells belong to units of this one. */
  readonly children: readonly Member[];
  /**
   * Cell of each unit of the parent member, `[parent units]`, by the unit's place in its member; empty for
   * a root.
   */
  readonly cellOfParentUnit: Int32Array;
}

/**
 * A symmetry and all that are nested in it. Given the rest of an alignment, its best assignment is found
 * exactly: inner problems for each pair of cells first, whose values are costs of the outer one.
 */
export interface Block {
  /** Outermost symmetry of the block, whose units move the cells of all others. */
  readonly root: Member;
  /** All members, parents before children. */
  readonly members: readonly Member[];
}

/** The units of a specification, and which of them move with which. */
export interface UnitTree {
  /** Specification whose units are arranged. */
  readonly spec: SymmetrySpec;
  /** Blocks that together hold every symmetry once. */
  readonly blocks: readonly Block[];
  /** Unit of a symmetry that each unit moves with, `[units]`: itself, or a follower's innermost parent. */
  readonly anchor: Int32Array;
  /** Index of the block of each unit's anchor, `[units]`. */
  readonly blockOf: Int32Array;
  /** Index of the symmetry of each unit's anchor, `[units]`. */
  readonly symmetryOf: Int32Array;
  /** Depth of each symmetry in its block: 0 for a root. */
  readonly depthOf: Int32Array;
  /** Parents of followers and of nested units, by unit; none for units of plain symmetries. */
  readonly parentsOf: readonly (readonly number[])[];
  /** All blocks whose units a unit follows, if there are several, by unit. */
  readonly sharedBlocks: ReadonlyMap<number, readonly number[]>;
}

/** Analyses a specification. */
export function createUnitTree(spec: SymmetrySpec): UnitTree {
  const symmetryOf = new Int32Array(spec.units).fill(-1);
  spec.symmetries.forEach((symmetry, index) => {
    symmetryOf.fill(index, symmetry.firstUnit, symmetry.firstUnit + symmetry.cells.length * symmetry.size);
  });
  const parentsOf = parentTable(spec);
  const ancestry = createAncestry(spec, symmetryOf, parentsOf);
  const anchor = Int32Array.from({ length: spec.units }, (_, unit) => ancestry.anchorOf(unit));
  const anchoredSymmetry = anchor.map((unit) => (unit < 0 ? -1 : at(symmetryOf, unit, "unit")));
  const parentSymmetry = spec.symmetries.map((symmetry) => parentOfSymmetry(symmetry, ancestry, symmetryOf));
  const blocks = spec.symmetries.flatMap((_, index) =>
    parentSymmetry[index] === undefined ? [createBlock(spec, index, { parentSymmetry, ancestry })] : [],
  );
  const blockOfSymmetry = new Int32Array(spec.symmetries.length);
  blocks.forEach((block, index) => {
    for (const member of block.members) blockOfSymmetry[member.index] = index;
  });
  const blockOf = anchoredSymmetry.map((symmetry) =>
    symmetry < 0 ? -1 : at(blockOfSymmetry, symmetry, "symmetry"),
  );
  return {
    spec,
    blocks,
    anchor,
    blockOf,
    symmetryOf: anchoredSymmetry,
    depthOf: depthsOf(parentSymmetry),
    parentsOf,
    sharedBlocks: findShared(parentsOf, blockOf),
  };
}

/** Lists the parents of followers and of nested units, by unit. */
function parentTable(spec: SymmetrySpec): readonly (readonly number[])[] {
  const parents: (readonly number[])[] = new Array(spec.units).fill([]);
  for (const family of spec.followers) {
    family.parents.forEach((ofUnit, k) => {
      parents[family.firstUnit + k] = ofUnit;
    });
  }
  for (const { cells, size, firstUnit } of spec.symmetries) {
    cells.forEach((ofCell, cell) => {
      for (let i = 0; i < size; i++) parents[firstUnit + cell * size + i] = ofCell;
    });
  }
  return parents;
}

interface Ancestry {
  /** Returns the symmetry unit that a unit moves with: itself, or the deepest among its parents' anchors. */
  anchorOf(unit: number): number;
  /** Returns the anchor of the parent of a symmetry unit's cell; undefined for a plain symmetry. */
  parentOf(unit: number): number | undefined;
}

function createAncestry(
  spec: SymmetrySpec,
  symmetryOf: Int32Array,
  parentsOf: readonly (readonly number[])[],
): Ancestry {
  const anchors = new Int32Array(spec.units).fill(-1);
  const depths = new Int32Array(spec.units).fill(-1);
  const deepest = (units: readonly number[]): number | undefined => {
    let best: number | undefined;
    for (const unit of units) {
      const candidate = anchorOf(unit);
      if (best === undefined || depthOf(candidate) > depthOf(best)) best = candidate;
    }
    return best;
  };
  const anchorOf = (unit: number): number => {
    if (at(symmetryOf, unit, "unit") >= 0) return unit;
    if (at(anchors, unit, "unit") < 0) anchors[unit] = deepest(at(parentsOf, unit, "unit")) ?? -1;
    return at(anchors, unit, "unit");
  };
  const parentOf = (unit: number) => deepest(at(parentsOf, unit, "unit"));
  const depthOf = (unit: number): number => {
    if (at(depths, unit, "unit") < 0) {
      const parent = parentOf(unit);
      depths[unit] = parent === undefined ? 0 : depthOf(parent) + 1;
    }
    return at(depths, unit, "unit");
  };
  return { anchorOf, parentOf };
}

/**
 * Finds the symmetry that a nested one belongs to as a child: the one that holds a single parent for each of
 * its cells. Undefined for plain symmetries, and for symmetries whose cells have several parents: they are
 * matched cell by cell, with their parents in their present places.
 */
function parentOfSymmetry(
  symmetry: Symmetry,
  ancestry: Ancestry,
  symmetryOf: Int32Array,
): number | undefined {
  let parent: number | undefined;
  for (let cell = 0; cell < symmetry.cells.length; cell++) {
    if (at(symmetry.cells, cell, "cell").length !== 1) return undefined;
    const unit = ancestry.parentOf(symmetry.firstUnit + cell * symmetry.size);
    if (unit === undefined) return undefined;
    const above = at(symmetryOf, unit, "unit");
    if (parent !== undefined && parent !== above) return undefined;
    parent = above;
  }
  return parent;
}

function depthsOf(parentSymmetry: readonly (number | undefined)[]): Int32Array {
  return Int32Array.from(parentSymmetry, (_, index) => {
    let depth = 0;
    for (let parent = parentSymmetry[index]; parent !== undefined; parent = parentSymmetry[parent]) depth++;
    return depth;
  });
}

function createBlock(
  spec: SymmetrySpec,
  root: number,
  tree: { readonly parentSymmetry: readonly (number | undefined)[]; readonly ancestry: Ancestry },
): Block {
  const members: Member[] = [];
  const build = (index: number): Member => {
    const symmetry = at(spec.symmetries, index, "symmetry");
    const place = members.length;
    members.push(undefined as unknown as Member);
    const children = tree.parentSymmetry.flatMap((parent, child) => (parent === index ? [build(child)] : []));
    const parent = tree.parentSymmetry[index];
    const cellOfParentUnit =
      parent === undefined
        ? new Int32Array()
        : cellsByParent(symmetry, at(spec.symmetries, parent, "symmetry"), tree.ancestry);
    const member = { index, symmetry, children, cellOfParentUnit };
    members[place] = member;
    return member;
  };
  return { root: build(root), members };
}

function cellsByParent(symmetry: Symmetry, parent: Symmetry, ancestry: Ancestry): Int32Array {
  const cells = new Int32Array(parent.cells.length * parent.size).fill(-1);
  for (let cell = 0; cell < symmetry.cells.length; cell++) {
    const unit = ancestry.parentOf(symmetry.firstUnit + cell * symmetry.size) ?? -1;
    cells[unit - parent.firstUnit] = cell;
  }
  return cells;
}

function findShared(
  parentsOf: readonly (readonly number[])[],
  blockOf: Int32Array,
): ReadonlyMap<number, readonly number[]> {
  const shared = new Map<number, readonly number[]>();
  const blocksOf = (unit: number): readonly number[] => {
    const earlier = shared.get(unit);
    if (earlier !== undefined) return earlier;
    const blocks = new Set([at(blockOf, unit, "unit")]);
    for (const parent of at(parentsOf, unit, "unit")) for (const block of blocksOf(parent)) blocks.add(block);
    if (blocks.size > 1) shared.set(unit, [...blocks]);
    return [...blocks];
  };
  parentsOf.forEach((parents, unit) => {
    if (parents.length > 0) blocksOf(unit);
  });
  return shared;
}
