import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { takeUse } from "./use-option.ts";

describe("takeUse()", () => {
  it.each([
    ["--use a.ts inspect x", ["inspect", "x"], ["a.ts"]],
    ["inspect x --use=a.ts --json --use b.js", ["inspect", "x", "--json"], ["a.ts", "b.js"]],
    ["inspect --use a.ts -- --use b.js", ["inspect", "--", "--use", "b.js"], ["a.ts"]],
    ["inspect --use", ["inspect"], [""]],
    ["inspect --use --use", ["inspect"], ["--use"]],
    ["inspect --use=", ["inspect"], [""]],
    ["inspect --useful x", ["inspect", "--useful", "x"], []],
  ])("takes the files out of %j", (line, words, use) => {
    expect(takeUse(line.split(" "))).toEqual({ words, use });
  });

  it("leaves a command line alone that names no file", () => {
    const word = fc.string().filter((text) => !text.startsWith("--use"));
    const check = (argv: readonly string[]) => {
      expect(takeUse(argv)).toEqual({ words: argv, use: [] });
    };
    fc.assert(fc.property(fc.array(word), check));
  });
});
