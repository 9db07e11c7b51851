import { describe, expect, test } from "vitest";
import { refineColours } from "./refine-colours.ts";

const alike = (count: number) => ({ low: new Int32Array(count), high: new Int32Array(count) });
const each = (count: number) => Int32Array.from({ length: count }, (_, i) => i);

describe("refineColours()", () => {
  test("refineColours() tells the ends of a path from its middle", () => {
    const relations = [{ from: Int32Array.of(0, 1, 2, 3), to: Int32Array.of(1, 2, 3, 4) }];
    const { labels } = refineColours({ ...alike(5), classOf: each(5), classCount: 5, relations });
    expect(labels.count).toBe(5);
  });

  test("refineColours() leaves what is symmetric in one colour", () => {
    const relations = [{ from: Int32Array.of(0, 1, 2, 3), to: Int32Array.of(1, 2, 3, 0) }];
    const { labels } = refineColours({ ...alike(4), classOf: each(4), classCount: 4, relations });
    expect(labels.count).toBe(1);
  });

  test("refineColours() tells relations apart", () => {
    const relations = [
      { from: Int32Array.of(0, 2), to: Int32Array.of(1, 3) },
      { from: Int32Array.of(4), to: Int32Array.of(5) },
    ];
    const { labels } = refineColours({ ...alike(6), classOf: each(6), classCount: 6, relations });
    expect([...labels.ids]).toEqual([0, 1, 0, 1, 2, 3]);
  });

  test("refineColours() colours classes by their members", () => {
    const low = Int32Array.of(1, 2, 2, 1, 1, 1);
    const classOf = Int32Array.of(0, 0, 1, 1, 2, 2);
    const structure = { low, high: new Int32Array(6), classOf, classCount: 3, relations: [] };
    expect([...refineColours(structure).classes.ids]).toEqual([0, 0, 1]);
  });
});
