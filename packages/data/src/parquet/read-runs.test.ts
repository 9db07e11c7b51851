import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readRuns } from "./read-runs.ts";

/** Writes numbers packed bit by bit, eight at a time. */
function pack(numbers: readonly number[], width: number): number[] {
  const groups = Math.ceil(numbers.length / 8);
  const bits = numbers.flatMap((value) =>
    Array.from({ length: width }, (_, i) => Math.floor(value / 2 ** i) % 2),
  );
  const bytes = Array.from({ length: groups * width }, (_, i) =>
    Array.from({ length: 8 }, (_, k) => (bits[8 * i + k] ?? 0) * 2 ** k).reduce((a, b) => a + b, 0),
  );
  return [2 * groups + 1, ...bytes];
}

describe("readRuns()", () => {
  it("reads packed numbers of any width, and runs of one number", () => {
    const request = fc.integer({ min: 1, max: 32 }).chain((width) =>
      fc.record({
        width: fc.constant(width),
        numbers: fc.array(fc.integer({ min: 0, max: 2 ** width - 1 }), { minLength: 1, maxLength: 40 }),
        repeats: fc.integer({ min: 1, max: 60 }),
      }),
    );
    fc.assert(
      fc.property(request, ({ width, numbers, repeats }) => {
        const [value = 0] = numbers;
        const run = [
          2 * repeats,
          ...Array.from({ length: Math.ceil(width / 8) }, (_, i) => Math.floor(value / 256 ** i) % 256),
        ];
        const bytes = Uint8Array.from([...run, ...pack(numbers, width)]);
        const read = readRuns({ bytes, width, count: repeats + numbers.length, source: "x" });
        expect([...read]).toEqual([...Array<number>(repeats).fill(value), ...numbers]);
      }),
    );
  });

  it.each([
    ["a run that claims more than is left", [0xfe, 0xff, 0xff, 0xff, 0x0f, 7], undefined],
    ["a run of nothing", [0, 7], /its runs must have numbers/],
    ["packed numbers that are not there", [0xff, 0xff, 0xff, 0xff, 0x0f], /one ends within a run/],
    ["a length of more than 32 bits", [0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], /must have 32 bits/],
    ["no bytes", [], /one ends within a run/],
  ])("stays within the numbers that are wanted: %s", (_, bytes, message) => {
    const read = () => readRuns({ bytes: Uint8Array.from(bytes), width: 3, count: 5, source: "x" });
    if (message === undefined) expect([...read()]).toEqual([7, 7, 7, 7, 7]);
    else expect(read).toThrow(message);
  });
});
