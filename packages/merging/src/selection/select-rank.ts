import { CutSearch } from "./cut-search.ts";
import type { RankCut, RankOrder } from "./rank-cut.ts";
import type { Surveyor } from "./surveyor.ts";
import { UpperBits } from "./upper-bits.ts";

/** Which elements of a tensor come before a cut. */
export interface RankAsked {
  readonly order: RankOrder;
  /** How many, or a function that says so from the number of elements other than 0. */
  readonly count: number | ((nonzero: number) => number);
}

/** Finds cuts of one tensor by rank. */
export interface RankSelector extends Surveyor {
  /** Returns the cuts, in the order in which they were asked for. */
  cuts(): readonly RankCut[];
}

/** Elements from which on a sample is looked at first. */
const SAMPLED_SIZE = 1 << 20;

/**
 * Finds where the first `k` elements of a tensor end in the order of their magnitudes, exactly, in passes of
 * bounded memory: the first counts the upper 16 bits of each pattern, the second the lower 15 bits of
 * patterns with the same upper bits as the cut. A third one reads a block, rarely more, where many elements
 * are equal and only some of them count.
 *
 * In a large tensor a sample tells near which upper bits the cut is: where the pass that follows finds it
 * there, the first one is saved.
 * @param size - number of elements of the tensor
 * @param sampledSize - elements from which on a sample is looked at
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
