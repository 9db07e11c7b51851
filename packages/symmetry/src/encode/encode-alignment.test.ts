import { FormatError, MismatchError } from "@isthmus/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { randomAlignment } from "../random-alignment.ts";
import { decodeSpec } from "./decode-spec.ts";
import { decodeAlignment, encodeAlignment } from "./encode-alignment.ts";

const written = {
  format: "isthmus-symmetries",
  version: 1,
  symmetries: [
    { name: "heads", size: 2 },
    { name: "inner", size: 3, parents: [[[0, 2]]] },
  ],
  weights: { w: { shape: [6], fields: [{ axes: [0], units: "inner" }] } },
};
const spec = decodeSpec(written);

describe("decodeAlignment()", () => {
  test("decodeAlignment() gives back what encodeAlignment() took, through JSON", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e6 }), (seed) => {
        const alignment = randomAlignment(spec, seed);
        expect(decodeAlignment(spec, JSON.parse(JSON.stringify(encodeAlignment(spec, alignment))))).toEqual(
          alignment,
        );
      }),
    );
  });

  test("encodeAlignment() writes one list for each symmetry, numbered within its cells", () => {
    const source = Int32Array.of(1, 0, 7, 6, 5, 2, 3, 4);
    expect(encodeAlignment(spec, { source }).permutations).toEqual({
      heads: [1, 0],
      inner: [
        [2, 1, 0],
        [0, 1, 2],
      ],
    });
  });

  test("decodeAlignment() refuses an alignment of other symmetries", () => {
    const other = decodeSpec({
      ...written,
      symmetries: [written.symmetries[0], { ...written.symmetries[1], name: "i" }],
      weights: {},
    });
    const encoded = encodeAlignment(other, randomAlignment(other, 1));
    expect(() => decodeAlignment(spec, encoded)).toThrow(MismatchError);
  });

  test.each([
    ["a missing symmetry", { heads: [0, 1] }, /"permutations.inner" must be an array/],
    ["a stray symmetry", { heads: [0, 1], inner: [], tails: [] }, /without "tails"/],
    [
      "a repeated number",
      {
        heads: [0, 0],
        inner: [
          [0, 1, 2],
          [0, 1, 2],
        ],
      },
      /"permutations.heads" must be the numbers from 0 to 1, each once/,
    ],
    [
      "a number out of range",
      {
        heads: [0, 2],
        inner: [
          [0, 1, 2],
          [0, 1, 2],
        ],
      },
      /"permutations.heads\[1\]" must be a whole number from 0 to 1: it is 2/,
    ],
    ["a missing cell", { heads: [0, 1], inner: [[0, 1, 2]] }, /a list for each of 2 cells/],
    [
      "a list of another length",
      {
        heads: [0, 1],
        inner: [
          [0, 1],
          [0, 1, 2],
        ],
      },
      /"permutations.inner\[0\]"/,
    ],
  ])("decodeAlignment() refuses %s", (_, permutations, message) => {
    const encoded = { ...encodeAlignment(spec, randomAlignment(spec, 1)), permutations };
    expect(() => decodeAlignment(spec, encoded)).toThrow(message);
    expect(() => decodeAlignment(spec, encoded)).toThrow(FormatError);
  });
});
