import { describe, expect, it } from "vitest";
import { HeldLogits } from "./held-logits.ts";

/** Examples of two rows of two classes; the second row of the second example has no label. */
const batch = (begin: number) => ({
  logits: Float32Array.from({ length: 8 }, (_, i) => begin + i),
  labels: Int32Array.of(0, 1, 1, -1),
  rows: 2,
  begin,
});

describe("HeldLogits", () => {
  it("copies batches, with one for each example divided among its rows that have a label", () => {
    const held = new HeldLogits();
    const [first, second] = [batch(0), batch(2)];
    held.add(first);
    first.logits.fill(Number.NaN);
    held.add(second);
    expect(held.batches.map(({ logits, begin }) => [begin, logits[0]])).toEqual([
      [0, 0],
      [2, 2],
    ]);
    const [weights] = held.batches.map((one) => [...one.weights]);
    expect(weights?.filter((_, i) => batch(0).labels[i] !== -1)).toEqual([0.5, 0.5, 1]);
    expect([held.examples, held.isFull]).toEqual([4, false]);
  });

  it("holds whole examples, the first of them, as many as there is room for", () => {
    const held = new HeldLogits(15);
    for (const begin of [0, 2, 4]) held.add(batch(begin));
    expect([held.examples, held.isFull]).toEqual([3, true]);
    expect(held.batches.at(-1)).toMatchObject({ labels: Int32Array.of(0, 1), begin: 2 });
    expect(held.batches.at(-1)?.logits).toEqual(batch(2).logits.slice(0, 4));
  });

  it("is not full where everything fits just so, and holds one example however large", () => {
    const exact = new HeldLogits(8);
    exact.add(batch(0));
    expect([exact.examples, exact.isFull]).toEqual([2, false]);
    exact.add(batch(2));
    expect([exact.examples, exact.isFull]).toEqual([2, true]);
    const tiny = new HeldLogits(1);
    tiny.add(batch(0));
    expect([tiny.examples, tiny.isFull]).toEqual([1, true]);
  });
});
