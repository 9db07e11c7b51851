import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UsageError } from "../errors.ts";
import { readBytes } from "./read-bytes.ts";

describe("readBytes()", () => {
  it("counts units in thousands, or in powers of 1,024, in letters of any case", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5000 }),
        fc.nat({ max: 4 }),
        fc.boolean(),
        (count, power, upper) => {
          const letter = ["", "k", "m", "g", "t"][power] as string;
          const write = (unit: string) => (upper ? unit.toUpperCase() : unit);
          expect(readBytes(`${count}${write(`${letter}b`)}`)).toBe(count * 1000 ** power);
          if (power > 0) expect(readBytes(`${count} ${write(`${letter}ib`)}`)).toBe(count * 1024 ** power);
        },
      ),
    );
    expect(["1000", "1.5kB", "0.25 KiB", "1.0019KB", "12  MB"].map(readBytes)).toEqual([
      1000, 1500, 256, 1001, 12e6,
    ]);
  });

  it.each(["", "GB", "5 XB", "5XGB", "-5GB", "x5GB", "5GB.", ".5GB", "1.GB", "0", "0.9", "0GB", "5 G B"])(
    "refuses %j",
    (text) => {
      expect(() => readBytes(text)).toThrow(UsageError);
      expect(() => readBytes(text)).toThrow(
        `Cannot read ${JSON.stringify(text)} as it must be a size such as 5GB or 500MiB`,
      );
    },
  );
});
