import { at, entry } from "@isthmus/core";
import { multiply } from "@isthmus/linear-algebra";
import type { MixingGroup, Symmetry, SymmetrySpec } from "@isthmus/symmetry";
import { complexOf, isComplex, matrixOf } from "../matrices/complex-numbers.ts";
import type { Doubles, StreamFrame } from "../stream-frame.ts";
import { bestAssignment, type HeadFamily } from "./head-families.ts";
import { headOfRows, queriesOfUnits, rowsBySpace, type SpaceRows } from "./space-rows.ts";
import { addInPlace, rowsOf } from "./weight-grams.ts";

/** Match of the heads of B to the heads of A. */
export interface HeadGroupsMatch {
  /** Key-value head of B for each one of A, `[heads]`. */
  readonly from: Int32Array;
  /**
   * Head of queries of B for each one of A, counted inside its group: `[queries]` for each key-value head of
   * A.
   */
  readonly queriesFrom: readonly Int32Array[];
}

/** Rows of a space, and the head of queries that they belong to; -1 for all that share it. */
interface SharedRows extends SpaceRows {
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
  const count = heads?.size ?? 1;
  const queryOf = queriesOfUnits(spec, queries);
  const bySpace = rowsBySpace(frame);
  const rowsOfSpace = (space: number): SharedRows[] =>
    at(bySpace, space, "space").map((rows) => ({ ...rows, query: headOfRows(spec, queryOf, rows) }));
  const rowsOfHeads = (ofHead: Int32Array) => {
    const { group } = at(frame.symmetries.mixing.spaces, at(ofHead, 0, "head"), "space");
    return { group, rows: Array.from(ofHead, rowsOfSpace) };
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
    for (let head = 0; head < count; head++) {
      products([network, network], head, head).forEach((gains, k) => {
        for (let i = 0; i < queries.size; i++)
          squares[k] = at(squares, k, "inner symmetry") + at(gains, i * (queries.size + 1), "head");
      });
    }
    return squares.map(Math.sqrt);
  });
  const matched = Array.from({ length: count ** 2 }, (_, index) => {
    const gains = new Float32Array(queries.size ** 2);
    products([a, b], Math.floor(index / count), index % count).forEach((ofSpaces, k) => {
      // Keys and values count alike, regardless of their sizes.
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
    count,
  );
  const queriesFrom = Array.from(
    from,
    (taken, head) => at(matched, head * count + taken, "pair of heads").from,
  );
  return { from, queriesFrom };
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
    // Only the part of a pair's product that turns with the pair counts, which is a complex number.
    return isComplex(group) ? matrixOf(complexOf(sum)) : sum;
  };
  return Float32Array.from({ length: queries * queries }, (_, index) => {
    const [i, j] = [Math.floor(index / queries), index % queries];
    const [front, behind] = [gram(i, j, false), gram(i, j, true)];
    return front.reduce((sum, value, k) => sum + value * at(behind, k, "product"), 0);
  });
}
