import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { quoteCommand } from "./quote-command.ts";

describe("quoteCommand()", () => {
  it("quoteCommand() quotes only where needed", () => {
    expect(quoteCommand(["isthmus", "align", "a.safetensors", "--weights", ".5,.5"])).toBe(
      "isthmus align a.safetensors --weights .5,.5",
    );
    expect(quoteCommand(["it's", ""])).toBe("'it'\\''s' ''");
  });

  it("quoteCommand() is read back by a shell", () => {
    const word = fc.string({ maxLength: 12 }).map((text) => text.replaceAll("\0", ""));
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 3 }), (words) => {
        const script = `for word in ${quoteCommand(words)}; do printf '%s\\0' "$word"; done`;
        const read = execFileSync("sh", ["-c", script], { encoding: "utf8" });
        expect(read.split("\0").slice(0, -1)).toEqual(words);
      }),
      { numRuns: 30 },
    );
  });
});
