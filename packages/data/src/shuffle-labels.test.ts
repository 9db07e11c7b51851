import { createTensor } from "@isthmus/core";
import type { Batch } from "@isthmus/graph";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createDataSet } from "./create-data-set.ts";
import { createTextDataSet } from "./create-text-data-set.ts";
import { decodeText } from "./decode-text.ts";
import { shuffleLabels } from "./shuffle-labels.ts";

const numbered = (size: number) => {
  const numbers = Int32Array.from({ length: size }, (_, i) => i);
  const inputs = createTensor("f32", [size, 1], Float32Array.from(numbers));
  return createDataSet(inputs, numbers, { name: "numbers" });
};

describe("shuffleLabels()", () => {
  it("leaves inputs, and gives each label to one example, however it is read", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 3000 }), fc.nat(), (size, seed) => {
        const [plain, data] = [numbered(size), shuffleLabels(numbered(size), seed)];
        const all = data.read(0, size);
        expect(all.inputs).toEqual(plain.read(0, size).inputs);
        expect(all.labels.toSorted()).toEqual(plain.read(0, size).labels);
        expect(data.read(1, size).labels).toEqual(all.labels.slice(1));
        const batch: Batch = data.read(0, 2);
        data.gatherInto?.(Uint32Array.of(size - 1, 0), batch);
        expect([...batch.labels]).toEqual([all.labels[size - 1], all.labels[0]]);
        expect(shuffleLabels(plain, seed).read(0, size).labels).toEqual(all.labels);
      }),
      { numRuns: 30 },
    );
    expect(shuffleLabels(numbered(50), 0).read(0, 50).labels).not.toEqual(numbered(50).read(0, 50).labels);
    expect(shuffleLabels(numbered(3), 0).name).toBe("numbers with shuffled labels");
  });

  it("refuses texts, whose labels belong to positions", () => {
    const points = decodeText(new TextEncoder().encode("abc ".repeat(20)), "text");
    const text = createTextDataSet(points, { name: "text", context: 4 });
    expect(() => shuffleLabels(text, 0)).toThrow(/each example must have one label/);
  });
});
