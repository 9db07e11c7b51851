import { OutOfRangeError, sumOf } from "@isthmus/core";
import type { SymmetrySpec } from "@isthmus/symmetry";
import { bytesForAssignment } from "../assignment/assignment-memory.ts";
import type { UnitTree } from "../coordinate-descent/unit-tree.ts";
import { widestRow } from "./stream-weights.ts";

/** Division of the memory that matching may use. */
export interface MemoryPlan {
  /** Elements of each network to hold at once. */
  readonly tileElements: number;
  /** Bytes of stored weights to keep of each network. */
  readonly cacheBytes: number;
  /** Bytes for costs and for the assignment solver. */
  readonly costBytes: number;
}

/**
 * Bytes that one element of a tile takes: stored, selected and converted, of both networks, in f64 at worst
 * half as many elements.
 */
const BYTES_PER_TILE_ELEMENT = 24;

/**
 * Share of the memory beside the costs that tiles and the cache get; the rest is for arrays that are not
 * collected yet, and for the process.
 */
const PLANNED_SHARE = 0.75;

/** Smallest useful tile, and the largest beyond which products do not get faster. */
const TILE_ELEMENTS = { least: 2 ** 14, most: 2 ** 24 };

/** Problem that memory is planned for. */
export interface MemoryNeeds {
  /** Specification of the networks, whose widest row bounds the tiles from below. */
  readonly spec: SymmetrySpec;
  /** Units of the specification in blocks, whose costs are held at once. */
  readonly tree: UnitTree;
  /** Indices of symmetries that are not matched. */
  readonly held: ReadonlySet<number>;
}

/**
 * Plans matching within a bound: first the indispensable parts (the costs of the largest block and the
 * solver), then tiles, then a cache of weights. The process itself takes 100 to 200 MB, which bounds of less
 * than a gigabyte do not cover.
 * @throws RangeError if the bound is too small; the message says how much is needed
 */
export function planMemory({ spec, tree, held }: MemoryNeeds, bytes: number): MemoryPlan {
  const costBytes = bytesForCosts(tree, held);
  const row = widestRow(spec);
  const least = Math.max(TILE_ELEMENTS.least, row) * BYTES_PER_TILE_ELEMENT;
  if (!(bytes >= costBytes + least)) {
    const needed = Math.ceil((costBytes + least) / 2 ** 20);
    throw new OutOfRangeError(
      `Cannot match weights as memory must hold the costs of the largest symmetry: ${needed} MiB are needed, ${Math.floor(bytes / 2 ** 20)} are given; give more, or skip the largest symmetries`,
    );
  }
  const free = (bytes - costBytes) * PLANNED_SHARE;
  const tileElements = Math.min(TILE_ELEMENTS.most, Math.max(least, free / 2) / BYTES_PER_TILE_ELEMENT);
  const cacheBytes = Math.max(0, (free - tileElements * BYTES_PER_TILE_ELEMENT) / 2);
  return { tileElements: Math.floor(tileElements), cacheBytes: Math.floor(cacheBytes), costBytes };
}

/**
 * Computes the bytes for the costs of every member of a block, for their copies inside the engine, for values
 * of members that have children, for the solver, and for a spare matrix if the solver is too small to lend
 * one. Buffers are kept for the next block, so each place counts with its largest member.
 */
function bytesForCosts({ blocks }: UnitTree, held: ReadonlySet<number>): number {
  const squares: number[] = [];
  let values = 0;
  let largest = 0;
  for (const { members } of blocks) {
    if (members.every(({ index }) => held.has(index))) continue;
    let valuesOfBlock = 0;
    for (const [place, { symmetry, children, index }] of members.entries()) {
      const square = (symmetry.cells.length * symmetry.size) ** 2 * 4;
      const before = squares[place];
      squares[place] = before === undefined ? square : Math.max(before, square);
      if (children.length > 0) valuesOfBlock += square;
      if (!held.has(index)) largest = Math.max(largest, symmetry.size);
    }
    values = Math.max(values, valuesOfBlock);
  }
  const widest = Math.max(0, ...squares);
  const spare = widest > largest * largest * 4 ? widest : 0;
  const total = sumOf(squares);
  return total + values + widest + spare + bytesForAssignment(largest, largest);
}
