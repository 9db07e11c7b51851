import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { keepMagnitudes, measuredPatterns } from "../kernels/magnitudes.ts";
import { type KeptRanks, type RankCut, type RankOrder, splitAtCuts } from "./rank-cut.ts";
import { createRankSelector, type RankAsked } from "./select-rank.ts";

/** Runs the passes over an array in blocks, and counts the elements that passes had to cover. */
function select(values: Float32Array, block: number, asked: readonly RankAsked[]) {
  const patterns = new Int32Array(values.buffer);
  const selector = createRankSelector(values.length, asked);
  let covered = 0;
  for (let span = selector.span; span !== undefined; span = selector.span) {
    for (let begin = 0; begin < values.length; begin += block) {
      const end = Math.min(values.length, begin + block);
      const now = selector.span;
      if (now === undefined || end <= now.begin || begin >= now.end) continue;
      selector.see(measuredPatterns(patterns.subarray(begin, end)), begin);
      covered += end - begin;
    }
    selector.endPass();
  }
  return { cuts: selector.cuts(), covered };
}

/** Positions of the first elements in the order of magnitudes, equal ones by position: by sorting. */
function sorted(values: Float32Array, order: RankOrder): number[] {
  const sign = order === "largest" ? -1 : 1;
  return [...values.keys()].sort((a, b) => sign * (Math.abs(values[a]!) - Math.abs(values[b]!)) || a - b);
}

function kept(values: Float32Array, ranks: KeptRanks, begin = 0, end = values.length): Float32Array {
  const out = values.slice();
  for (const piece of splitAtCuts(ranks, begin, end)) {
    const part = out.subarray(piece.begin, piece.end);
    const patterns = new Int32Array(out.buffer, 4 * piece.begin, part.length);
    keepMagnitudes(patterns, patterns, piece.least, piece.below);
  }
  return out;
}

const keepAt = (values: Float32Array, positions: readonly number[]) => {
  const out = new Float32Array(values.length);
  for (const position of positions) out[position] = values[position]!;
  return out.map((x) => x + 0);
};

const unsigned = (values: Float32Array) => values.map((x) => x + 0);

const anyFloats = fc.oneof(
  fc.float32Array({ minLength: 1, maxLength: 60, noNaN: true }),
  // Few values, so that many are equal.
  fc
    .array(fc.constantFrom(0, -0, 1, -1, 2, 1e-40), { minLength: 1, maxLength: 60 })
    .map((x) => Float32Array.from(x)),
);

/** As `select`, but where a sample does, only every third block is seen. */
function selectBySample(values: Float32Array, block: number, asked: readonly RankAsked[]) {
  const patterns = new Int32Array(values.buffer);
  const selector = createRankSelector(values.length, asked, 1);
  let passes = 0;
  for (let span = selector.span; span !== undefined; span = selector.span) {
    passes++;
    const step = selector.takesSample ? 3 * block : block;
    for (let begin = 0; begin < values.length; begin += step) {
      if (selector.span === undefined) continue;
      selector.see(measuredPatterns(patterns.subarray(begin, Math.min(values.length, begin + block))), begin);
    }
    selector.endPass();
  }
  return { cuts: selector.cuts(), passes };
}

describe("createRankSelector", () => {
  test.each(["largest", "smallest"] as const)(
    "finds the %s elements by a sample, whatever it is like",
    (order) => {
      fc.assert(
        fc.property(anyFloats, fc.nat(70), fc.integer({ min: 1, max: 20 }), (values, count, block) => {
          const [inside] = selectBySample(values, block, [{ order, count }]).cuts as [RankCut];
          expect(unsigned(kept(values, { inside, order }))).toEqual(
            keepAt(values, sorted(values, order).slice(0, count)),
          );
        }),
        { numRuns: 300 },
      );
    },
  );

  test("needs two passes where a sample is like the rest, else more", () => {
    const values = Float32Array.from(
      { length: 4096 },
      (_, i) => 1 + (((i * 2654435761) >>> 0) % 4096) / 4096,
    );
    expect(selectBySample(values, 64, [{ order: "largest", count: 1000 }]).passes).toBe(2);
    const rising = values.toSorted();
    expect(
      selectBySample(
        rising.map((x, i) => x * 2 ** (i >> 8)),
        1024,
        [{ order: "largest", count: 1000 }],
      ).passes,
    ).toBeGreaterThan(2);
  });

  test.each(["largest", "smallest"] as const)("finds the %s elements that sorting finds", (order) => {
    fc.assert(
      fc.property(anyFloats, fc.nat(70), fc.integer({ min: 1, max: 70 }), (values, count, block) => {
        const { cuts } = select(values, block, [{ order, count: () => count }]);
        const [inside] = cuts as [RankCut];
        expect(unsigned(kept(values, { inside, order }))).toEqual(
          keepAt(values, sorted(values, order).slice(0, count)),
        );
      }),
      { numRuns: 300 },
    );
  });

  test("finds two cuts at once, and keeps what is between them", () => {
    fc.assert(
      fc.property(
        anyFloats,
        fc.nat(60),
        fc.nat(60),
        fc.constantFrom<RankOrder>("largest", "smallest"),
        (values, a, b, order) => {
          const [few, many] = a < b ? [a, b] : [b, a];
          const { cuts } = select(values, 16, [
            { order, count: () => few },
            { order, count: () => many },
          ]);
          const [outside, inside] = cuts as [RankCut, RankCut];
          expect(unsigned(kept(values, { inside, outside, order }))).toEqual(
            keepAt(values, sorted(values, order).slice(few, many)),
          );
        },
      ),
    );
  });

  test("tells how many elements are not 0 to those who count in their share", () => {
    const values = Float32Array.of(0, 3, -0, -5, 1, 1e-45);
    const { cuts } = select(values, 4, [{ order: "largest", count: (nonzero) => nonzero / 2 }]);
    expect(kept(values, { inside: cuts[0]!, order: "largest" })).toEqual(Float32Array.of(0, 3, 0, -5, 0, 0));
  });

  test("gives the same however the range is cut", () => {
    const values = Float32Array.from({ length: 50 }, (_, i) => (i * 7) % 5);
    const { cuts } = select(values, 7, [{ order: "largest", count: () => 23 }]);
    const ranks: KeptRanks = { inside: cuts[0]!, order: "largest" };
    const whole = kept(values, ranks);
    for (let cut = 0; cut <= 50; cut++) {
      const [left, right] = [kept(values, ranks, 0, cut), kept(values, ranks, cut, 50)];
      expect([...left.subarray(0, cut), ...right.subarray(cut)]).toEqual([...whole]);
    }
  });

  test("takes two passes, and a third of one block where millions of elements are equal", () => {
    const size = 3 << 20;
    const block = 1 << 14;
    const distinct = Float32Array.from({ length: size }, (_, i) => 1 + ((i * 40503) % size) / size);
    expect(select(distinct, block, [{ order: "largest", count: () => size / 2 }]).covered).toBe(2 * size);
    const equal = new Float32Array(size).fill(0.5);
    const count = 2.5 * 2 ** 20 + 5;
    const { cuts, covered } = select(equal, block, [{ order: "largest", count: () => count }]);
    expect(cuts).toEqual([{ magnitude: 0x3f000000, position: count - 1 }]);
    expect(covered - 2 * size).toBe(block);
  });

  test("finds an element among equal ones that were not the most frequent", () => {
    const size = 3 << 20;
    // The rare value is in the same bin as the frequent one, and all of it after the remembered positions.
    const values = new Float32Array(size).fill(1);
    values.fill(1 + 2 ** -20, size - 1000);
    const { cuts } = select(values, 1 << 14, [{ order: "largest", count: () => 400 }]);
    expect(cuts[0]?.position).toBe(size - 601);
  });
});
