import { CutSearch } from "./cut-search.ts";
import type { RankCut, RankOrder } from "./rank-cut.ts";
import type { Surveyor } from "./surveyor.ts";
import { UpperBits } from "./upper-bits.ts";

/** Request for a cut: the order and number of the elements before it. */
export interface RankAsked {
  /** Elements that come before the cut: the largest or the smallest. */
  readonly order: RankOrder;
  /**
   * Number of elements before the cut, or a function that computes it from the number of elements other than
   * 0.
   */
  readonly count: number | ((nonzero: number) => number);
}

/** Surveyor that finds cuts of one tensor by rank. */
export interface RankSelector extends Surveyor {
  /** Returns the cuts, in the order of the requests. */
  cuts(): readonly RankCut[];
}

/** Least number of elements of a tensor that is sampled first. */
const SAMPLED_SIZE = 1 << 20;

/**
 * Finds the cut after the first `k` elements of a tensor in the order of their magnitudes, exactly, in passes
 * with bounded memory: the first counts the upper 16 bits of each pattern, the second the lower 15 bits of
 * patterns with the same upper bits as the cut. A third pass reads one block, rarely more, if many elements
 * are equal and only some of them are before the cut.
 *
 * In a large tensor, a sample suggests the upper bits near the cut. If the next pass finds the cut there, the
 * first pass is saved.
 * @param size - number of elements of the tensor
 * @param sampledSize - least number of elements of a tensor that is sampled first
 */
export function createRankSelector(
  size: number,
  asked: readonly RankAsked[],
  sampledSize: number = SAMPLED_SIZE,
): RankSelector {
  const counts = asked.flatMap(({ count }) => (typeof count === "number" ? [count] : []));
  let takesSample = size >= sampledSize && counts.length === asked.length;
  let histogram = new UpperBits();
  let searches: CutSearch[] | undefined;
  const searchesOf = (bits: UpperBits, isSample: boolean): CutSearch[] =>
    asked.map(({ order, count }) => {
      const first = typeof count === "number" ? count : count(size - bits.zeros);
      return new CutSearch(size, { order, count: first, bits, isSample });
    });
  return {
    get span() {
      if (searches === undefined) return { begin: 0, end: size };
      const spans = searches.flatMap(({ span }) => span ?? []);
      if (spans.length === 0) return undefined;
      return {
        begin: Math.min(...spans.map(({ begin }) => begin)),
        end: Math.max(...spans.map(({ end }) => end)),
      };
    },
    get takesSample() {
      return takesSample;
    },
    see(measured, begin) {
      if (searches === undefined) histogram.see(measured.patterns());
      else for (const search of searches) if (search.span !== undefined) search.see(measured, begin);
    },
    endPass() {
      if (searches === undefined) {
        searches = searchesOf(histogram, takesSample);
        takesSample = false;
        return;
      }
      for (const search of searches) if (search.span !== undefined) search.endPass();
      if (!searches.some(({ isMissed }) => isMissed)) return;
      // The sample was not like the rest: all elements are counted.
      searches = undefined;
      histogram = new UpperBits();
    },
    cuts: () => (searches ?? []).map(({ cut }) => cut),
  };
}
