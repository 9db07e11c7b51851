import { at, OutOfRangeError, resolveOptions, sizeOf } from "@isthmus/core";
import { createNeighbors, type GridNeighbors, isOnEdge } from "./grid-neighbors.ts";
import type { MergeTree, TreeMinimum } from "./merge-tree-result.ts";

/** Options of {@link mergeTree}. */
export interface MergeTreeOptions {
  /** Kind of neighbourhoods of places. @defaultValue "faces" */
  readonly neighbors?: GridNeighbors;
  /**
   * Persistence up to which minima are left out: their rise to the saddle at which they meet a deeper one; at
   * least 0.
   * @defaultValue 0
   */
  readonly leastPersistence?: number;
}

/** Defaults of {@link mergeTree}. */
const MERGE_TREE_DEFAULTS: Required<MergeTreeOptions> = { neighbors: "faces", leastPersistence: 0 };

const ATTEMPT = "compute a merge tree";

/**
 * Computes the merge tree of values on a grid of any dimension: its minima, and the saddles at which the
 * parts below a rising level join, by union-find over the places in the order of their values. If two minima
 * meet, the branch of the deeper one continues (the elder rule). Minima at the edge of the grid are marked
 * (`onEdge`). Equal values are ordered by their places, and a flat part is one minimum. Places without a
 * finite value are left out, as if the grid had holes.
 *
 * The tree has only saddles that join two parts: it has neither saddles at which a ring closes nor maxima.
 * @param values - in row-major order
 * @param shape - extents of the grid
 * @throws OutOfRangeError if there are not as many values as places, or an option is out of range
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { mergeTree } from "isthmus";
 *
 * // Two wells: the shallow one rises by 2 until it meets the other at 3.
 * const { minima, saddles } = mergeTree([5, 0, 3, 1, 4], [5]);
 * assert.deepEqual(minima.map(({ index, persistence }) => [index, persistence]), [[1, 5], [3, 2]]);
 * assert.deepEqual(saddles.map(({ index, value }) => [index, value]), [[2, 3]]);
 * ```
 */
export function mergeTree(
  values: ArrayLike<number>,
  shape: readonly number[],
  options: MergeTreeOptions = {},
): MergeTree {
  const { neighbors, leastPersistence } = resolveOptions(ATTEMPT, MERGE_TREE_DEFAULTS, options);
  assertGrid(values, shape);
  if (!(leastPersistence >= 0)) {
    throw new OutOfRangeError(
      `Cannot ${ATTEMPT} as "leastPersistence" must be at least 0: it is ${leastPersistence}`,
    );
  }
  const neighborsOf = createNeighbors(ATTEMPT, shape, neighbors);
  const order = orderOf(values);
  const forest = growForest(values, { order, neighborsOf, leastPersistence });
  return {
    shape: [...shape],
    ...describeForest(values, shape, forest, countBasins(order, neighborsOf, forest)),
    range: order.length === 0 ? 0 : valueAt(values, order.at(-1)) - valueAt(values, order[0]),
    missing: values.length - order.length,
  };
}

function assertGrid(values: ArrayLike<number>, shape: readonly number[]): void {
  const isShape = shape.length > 0 && shape.every((extent) => Number.isSafeInteger(extent) && extent > 0);
  if (isShape && sizeOf(shape) === values.length) return;
  throw new OutOfRangeError(
    `Cannot ${ATTEMPT} as there must be one value for every place of the grid: got ${values.length} values for the shape [${shape.join(", ")}]`,
  );
}

const valueAt = (values: ArrayLike<number>, place: number | undefined): number =>
  at(values, place ?? Number.NaN, "value");

/** Lists the places with finite values, the lowest first. */
function orderOf(values: ArrayLike<number>): number[] {
  return Array.from(values, (_, place) => place)
    .filter((place) => Number.isFinite(values[place]))
    .sort((a, b) => valueAt(values, a) - valueAt(values, b) || a - b);
}

type NeighborsOf = (place: number) => number[];

/** Node of the tree during its construction; the parent is the place of a saddle. */
interface Branch {
  parent: number | undefined;
}

/** Minima and saddles by their places, in the order in which they appear. */
interface Forest {
  readonly minima: Map<number, Branch & { merge: number | undefined }>;
  readonly saddles: Map<number, Branch>;
  /** Minimum to which each minimum that was left out is counted, by places. */
  readonly leftOut: Map<number, number>;
}

/** A part below the level: its deepest minimum, and the node of the tree at its top. */
interface Part {
  readonly minimum: number;
  readonly top: Branch;
}

function growForest(
  values: ArrayLike<number>,
  {
    order,
    neighborsOf,
    leastPersistence,
  }: {
    readonly order: readonly number[];
    readonly neighborsOf: NeighborsOf;
    readonly leastPersistence: number;
  },
): Forest {
  const forest: Forest = { minima: new Map(), saddles: new Map(), leftOut: new Map() };
  const partOf = new Map<number, Part>();
  const roots = createRoots(values.length);
  const rank = new Map(order.map((place, k) => [place, k]));
  const rankOf = (place: number) => rank.get(place) ?? Number.POSITIVE_INFINITY;
  for (const [k, place] of order.entries()) {
    const below = neighborsOf(place).filter((neighbor) => rankOf(neighbor) < k);
    const joined = [...new Set(below.map((neighbor) => roots.find(neighbor)))];
    const parts = joined
      .flatMap((root) => partOf.get(root) ?? [])
      .sort((a, b) => rankOf(a.minimum) - rankOf(b.minimum));
    for (const root of joined) roots.join(root, place);
    partOf.set(place, joinParts(values, { place, parts, forest, leastPersistence }));
  }
  return forest;
}

/** Joins the parts beside a place, the deepest first, and the place itself into one part. */
function joinParts(
  values: ArrayLike<number>,
  {
    place,
    parts,
    forest,
    leastPersistence,
  }: {
    readonly place: number;
    readonly parts: readonly Part[];
    readonly forest: Forest;
    readonly leastPersistence: number;
  },
): Part {
  const [elder, ...younger] = parts;
  if (elder === undefined) {
    const top = { parent: undefined, merge: undefined };
    forest.minima.set(place, top);
    return { minimum: place, top };
  }
  const rises = ({ minimum }: Part) => valueAt(values, place) - valueAt(values, minimum) > leastPersistence;
  for (const part of younger.filter((part) => !rises(part))) {
    forest.minima.delete(part.minimum);
    forest.leftOut.set(part.minimum, elder.minimum);
  }
  const meeting = younger.filter(rises);
  if (meeting.length === 0) return elder;
  const saddle: Branch = { parent: undefined };
  forest.saddles.set(place, saddle);
  for (const { top } of [elder, ...meeting]) top.parent = place;
  for (const { minimum } of meeting) {
    const branch = forest.minima.get(minimum);
    if (branch !== undefined) branch.merge = place;
  }
  return { minimum: elder.minimum, top: saddle };
}

/** Union-find over places, where the place that was joined last is the root. */
function createRoots(size: number): {
  readonly find: (place: number) => number;
  readonly join: (root: number, under: number) => void;
} {
  const parents = Int32Array.from({ length: size }, (_, place) => place);
  const parentOf = (place: number) => at(parents, place, "place");
  return {
    find(place) {
      let root = place;
      while (parentOf(root) !== root) root = parentOf(root);
      for (let walked = place; walked !== root; ) {
        const next = parentOf(walked);
        parents[walked] = root;
        walked = next;
      }
      return root;
    },
    join(root, under) {
      parents[root] = under;
    },
  };
}

/** Counts, for every minimum, the places from which the steepest way down ends in it. */
function countBasins(
  order: readonly number[],
  neighborsOf: NeighborsOf,
  { leftOut }: Forest,
): Map<number, number> {
  const rank = new Map(order.map((place, k) => [place, k]));
  const ends = new Map<number, number>();
  const sizes = new Map<number, number>();
  for (const [k, place] of order.entries()) {
    const lowest = Math.min(k, ...neighborsOf(place).map((neighbor) => rank.get(neighbor) ?? k));
    let end = lowest === k ? place : (ends.get(at(order, lowest, "place")) ?? place);
    for (let next = leftOut.get(end); next !== undefined; next = leftOut.get(end)) end = next;
    ends.set(place, end);
    sizes.set(end, (sizes.get(end) ?? 0) + 1);
  }
  return sizes;
}

/** Converts the nodes of a forest to the result, where indices of nodes replace places. */
function describeForest(
  values: ArrayLike<number>,
  shape: readonly number[],
  { minima, saddles }: Forest,
  basins: ReadonlyMap<number, number>,
): Pick<MergeTree, "minima" | "saddles"> {
  const indices = new Map([...saddles.keys()].map((place, index) => [place, index]));
  const node = <K extends string>(key: K, place: number | undefined) => {
    const index = place === undefined ? undefined : indices.get(place);
    return (index === undefined ? {} : { [key]: index }) as { readonly [Key in K]?: number };
  };
  const highest = Math.max(...Array.from(values).filter(Number.isFinite));
  return {
    minima: [...minima].map(([index, { parent, merge }]): TreeMinimum => {
      const value = valueAt(values, index);
      const top = merge === undefined ? highest : valueAt(values, merge);
      const basin = basins.get(index) ?? Number.NaN;
      return {
        index,
        value,
        ...(isOnEdge(index, shape) && { onEdge: true }),
        ...node("saddle", parent),
        ...node("merge", merge),
        persistence: top - value,
        basin,
      };
    }),
    saddles: [...saddles].map(([index, { parent }]) => {
      return { index, value: valueAt(values, index), ...node("parent", parent) };
    }),
  };
}
