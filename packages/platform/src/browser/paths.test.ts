import { posix } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as paths from "./paths.ts";

const path = fc
  .array(fc.constantFrom("a", "b.c", ".", "..", "/", "//", ".d", "e.", "..f", "g.h.i", ""), { maxLength: 7 })
  .map((parts) => parts.join(""));

/** Node's own functions resolve paths from a working folder, which is the root here. */
const fromRoot = (each: string): string => posix.resolve("/", each);

describe("paths of a page", () => {
  it("are those of Node.js on POSIX systems", () => {
    fc.assert(
      fc.property(path, path, (a, b) => {
        expect(paths.join(a, b)).toBe(posix.join(a, b));
        expect(paths.resolve(a, b)).toBe(posix.resolve("/", a, b));
        // Node.js keeps some doubled slashes.
        expect(posix.resolve("/x", paths.dirname(a))).toBe(posix.resolve("/x", posix.dirname(a)));
        expect(paths.basename(a)).toBe(posix.basename(a));
        // Node.js returns slashes alone as they are if it looks for an ending.
        if (!/^\/+$/.test(a)) expect(paths.basename(a, ".c")).toBe(posix.basename(a, ".c"));
        expect(paths.extname(a)).toBe(posix.extname(a));
        expect(paths.isAbsolute(a)).toBe(posix.isAbsolute(a));
        expect(paths.relative(a, b)).toBe(posix.relative(fromRoot(a), fromRoot(b)));
      }),
      { numRuns: 500 },
    );
  });
});
