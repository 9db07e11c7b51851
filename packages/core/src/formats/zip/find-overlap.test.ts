import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findOverlap, type ZipPlace } from "./zip-directory.ts";

const place = (name: string, begin: number, bytes: number): ZipPlace => ({
  fileName: name,
  nameBytes: new TextEncoder().encode(name),
  relativeOffsetOfLocalHeader: begin,
  compressedSize: bytes,
});

describe("findOverlap()", () => {
  it("finds none where files follow one another, in whatever order they are listed", () => {
    const files = fc.array(fc.record({ bytes: fc.nat({ max: 9 }), gap: fc.nat({ max: 3 }), key: fc.nat() }));
    fc.assert(
      fc.property(files, (list) => {
        let begin = 0;
        const places = list.map(({ bytes, gap, key }, i) => {
          const each = place(`f${i}`, begin, bytes);
          begin += 30 + each.nameBytes.length + bytes + gap;
          return { each, key };
        });
        const shuffled = places.sort((a, b) => a.key - b.key).map(({ each }) => each);
        expect(findOverlap(shuffled)).toBeUndefined();
      }),
    );
  });

  it("names two files of which one begins within the other", () => {
    expect(findOverlap([place("a", 0, 10), place("b", 40, 5)])).toEqual(["a", "b"]);
    expect(findOverlap([place("b", 41, 5), place("a", 0, 10)])).toBeUndefined();
    expect(findOverlap([place("a", 7, 0), place("b", 7, 0)])).toEqual(["a", "b"]);
  });
});
