import { at, entry } from "@isthmus/core";
import { multiply } from "@isthmus/linear-algebra";
import type { MixingGroup, Occurrence, Symmetry, SymmetrySpec } from "@isthmus/symmetry";
import { positionIn } from "@isthmus/symmetry/layout";
import { complexOf, isComplex, matrixOf } from "../matrices/complex-numbers.ts";
import type { Doubles, StreamFrame } from "../stream-frame.ts";
import { bestAssignment, type HeadFamily } from "./head-families.ts";
import { addInPlace, rowsOf } from "./weight-grams.ts";

/** Which head of B goes to each head of A, and in each of them which head of queries. */
export interface HeadGroupsMatch {
  readonly from: Int32Array;
  readonly queriesFrom: readonly Int32Array[];
}

/**
 * Rows of a mixed space in a weight, and the head of queries that they belong to; -1 for all that share it.
 */
interface SharedRows {
  readonly weight: string;
  readonly occurrence: Occurrence;
  readonly query: number;
}

/**
 * Finds which key-value head of B, and in it which heads of queries, belong to which of A: the assignments
 * that maximise the inner products of their circuits, such as "value, then output" for each head of queries.
 *
 * No mixture of inner dimensions changes a circuit, so none has to be found before.
 *
 * @see Elhage et al., A mathematical framework for transformer circuits (2021), on circuits
 */
export function matchHeadGroups(
  spec: SymmetrySpec,
  frame: StreamFrame,
  [a, b]: readonly [Doubles, Doubles],
  { heads, spaces, pairs, queries }: HeadFamily & { readonly queries: Symmetry },
): HeadGroupsMatch {
  const ofQueries = createQueryFinder(spec, queries);
  const rowsOfHeads = (ofHead: Int32Array) => {
    const { group } = at(frame.symmetries.mixing.spaces, at(ofHead, 0, "head"), "space");
    return { group, rows: Array.from(ofHead, (space) => rowsOfSpace(frame, space, ofQueries)) };
  };
  // All pairs of a head are one circuit, from queries to keys.
  const rows = [...spaces.map((ofHead) => [ofHead]), ...(pairs.length > 0 ? [pairs] : [])].map((list) =>
    list.map(rowsOfHeads),
  );
  const products = (networks: readonly [Doubles, Doubles], one: number, two: number): Float32Array[] =>
    rows.map((circuit) => {
      const sum = new Float64Array(queries.size ** 2);
      for (const { group, rows: ofHead } of circuit) {
        const both = [at(ofHead, one, "head"), at(ofHead, two, "head")] as const;
        addInPlace(sum, circuitProducts(networks, both, { queries: queries.size, group }));
      }
      return Float32Array.from(sum);
    });
  const norms = [a, b].map((network) => {
    const squares = rows.map(() => 0);
    for (let head = 0; head < heads.size; head++) {
      products([network, network], head, head).forEach((gains, k) => {
        for (let i = 0; i < queries.size; i++)
          squares[k] = at(squares, k, "inner symmetry") + at(gains, i * (queries.size + 1), "head");
      });
    }
    return squares.map(Math.sqrt);
  });
  const matched = Array.from({ length: heads.size ** 2 }, (_, index) => {
    const gains = new Float32Array(queries.size ** 2);
    products([a, b], Math.floor(index / heads.size), index % heads.size).forEach((ofSpaces, k) => {
      // Keys and values count alike, whatever their sizes.
      const norm = norms.reduce((product, list) => product * at(list, k, "inner symmetry"), 1) || 1;
      ofSpaces.forEach((value, i) => {
        gains[i] = at(gains, i, "gain") + value / norm;
      });
    });
    const from = bestAssignment(gains, queries.size);
    const gain = from.reduce((sum, j, i) => sum + at(gains, i * queries.size + j, "gain"), 0);
    return { from, gain };
  });
  const from = bestAssignment(
    Float32Array.from(matched, ({ gain }) => gain),
    heads.size,
  );
  const queriesFrom = Array.from(
    from,
    (taken, head) => at(matched, head * heads.size + taken, "pair of heads").from,
  );
  return { from, queriesFrom };
}

/** Lists the rows of a space over all weights. */
function rowsOfSpace(
  frame: StreamFrame,
  space: number,
  queryOf: (weight: string, occurrence: Occurrence) => number,
): SharedRows[] {
  return [...frame.occurrences].flatMap(([weight, occurrences]) =>
    occurrences
      .filter((occurrence) => occurrence.space === space)
      .map((occurrence) => ({ weight, occurrence, query: queryOf(weight, occurrence) })),
  );
}

/**
 * Creates a function that returns which head of queries, inside its group, rows of a weight belong to, or -1.
 */
function createQueryFinder(
  { weights, followers }: SymmetrySpec,
  { firstUnit, size, cells }: Symmetry,
): (weight: string, occurrence: Occurrence) => number {
  const queryOfUnit = new Map<number, number>();
  const isQuery = (unit: number) => unit >= firstUnit && unit < firstUnit + size * cells.length;
  for (const family of followers) {
    family.parents.forEach((parents, i) => {
      const unit = parents.find(isQuery);
      if (unit !== undefined) queryOfUnit.set(family.firstUnit + i, (unit - firstUnit) % size);
    });
  }
  return (weight, { bases }) => {
    const { view, fields } = entry(weights, weight, "weight");
    for (const { axes, units } of fields) {
      const places = Array.from(bases, positionIn(view, axes));
      const queries = new Set(places.map((place) => queryOfUnit.get(at(units, place, "place")) ?? -1));
      const isAlong = new Set(places).size === bases.length;
      const [query = -1, ...others] = queries;
      if (isAlong && query >= 0 && others.length === 0) return query;
    }
    return -1;
  };
}

/** Computes inner products of the circuits of two heads, `[heads of queries of A, heads of queries of B]`. */
function circuitProducts(
  [a, b]: readonly [Doubles, Doubles],
  [one, two]: readonly [readonly SharedRows[], readonly SharedRows[]],
  { queries, group }: { readonly queries: number; readonly group: MixingGroup },
): Float32Array {
  const size = at(one, 0, "rows").occurrence.bases.length;
  const gram = (i: number, j: number, isInverse: boolean) => {
    const sum = new Float64Array(size * size);
    const counts = ({ occurrence, query }: SharedRows, which: number) =>
      occurrence.isInverse === isInverse && (query === which || query < 0);
    const right = two.filter((rows) => counts(rows, j));
    one
      .filter((rows) => counts(rows, i))
      .forEach(({ weight, occurrence }, k) => {
        const other = at(right, k, "rows");
        const left = rowsOf(entry(a, weight, "weight"), occurrence);
        addInPlace(
          sum,
          multiply(left, rowsOf(entry(b, weight, "weight"), other.occurrence), { transposeRight: true }).data,
        );
      });
    // Of a pair only what turns with it counts.
    return isComplex(group) ? matrixOf(complexOf(sum)) : sum;
  };
  return Float32Array.from({ length: queries * queries }, (_, index) => {
    const [i, j] = [Math.floor(index / queries), index % queries];
    const [front, behind] = [gram(i, j, false), gram(i, j, true)];
    return front.reduce((sum, value, k) => sum + value * at(behind, k, "product"), 0);
  });
}
