import type { SymmetrySpec } from "@isthmus/graph";
import { bytesForAssignment } from "../assignment/assignment-memory.ts";
import type { UnitTree } from "../coordinate-descent/unit-tree.ts";
import { widestRow } from "./stream-weights.ts";

/** How matching shares out the memory that it may use. */
export interface MemoryPlan {
  /** Elements of each network to hold at once. */
  readonly tileElements: number;
  /** Bytes of stored weights to keep of each network. */
  readonly cacheBytes: number;
  /** Bytes for costs and for the assignment solver. */
  readonly costBytes: number;
}

/** Bytes that one element of a tile takes: stored, selected and converted, of both networks, in f64 at worst half as many elements. */
const BYTES_PER_TILE_ELEMENT = 24;

/** Smallest useful tile, and the largest beyond which products do not get faster. */
const TILE_ELEMENTS = { least: 2 ** 14, most: 2 ** 24 };

/**
 * Plans matching within a bound: first what must be there (the costs of the largest block, twice, and the solver), then tiles, then a
 * cache of weights. The bound is for what matching holds; the process itself takes 100 to 200 MB more.
 * @throws RangeError if the bound is too small; it says what is needed
 */
export function planMemory(spec: SymmetrySpec, tree: UnitTree, bytes: number): MemoryPlan {
  const costBytes = Math.max(0, ...tree.blocks.map((block) => bytesOfBlock(block)));
  const row = widestRow(spec);
  const least = Math.max(TILE_ELEMENTS.least, row) * BYTES_PER_TILE_ELEMENT;
  if (!(bytes >= costBytes + least)) {
    const needed = Math.ceil((costBytes + least) / 2 ** 20);
    throw new RangeError(
      `Cannot match weights as memory must hold the costs of the largest symmetry: ${needed} MiB are needed, ${Math.floor(bytes / 2 ** 20)} are given; give more, or skip the largest symmetries`,
    );
  }
  const free = bytes - costBytes;
  const tileElements = Math.min(TILE_ELEMENTS.most, Math.max(least, free / 2) / BYTES_PER_TILE_ELEMENT);
  const cacheBytes = Math.max(0, (free - tileElements * BYTES_PER_TILE_ELEMENT) / 2);
  return { tileElements: Math.floor(tileElements), cacheBytes: Math.floor(cacheBytes), costBytes };
}

/** Costs twice, once more inside the engine, values of nested members, and the solver. */
function bytesOfBlock({ members }: UnitTree["blocks"][number]): number {
  let bytes = 0;
  let largest = 0;
  let squares = 0;
  for (const { symmetry, children } of members) {
    const units = symmetry.cells.length * symmetry.size;
    bytes += (children.length > 0 ? 3 : 2) * units * units * 4;
    largest = Math.max(largest, symmetry.size);
    squares = Math.max(squares, units * units * 4);
  }
  return bytes + squares + bytesForAssignment(largest, largest);
}
