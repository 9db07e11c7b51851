import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { matchesAny, matchesGlob } from "./match-glob.ts";

describe("matchesGlob()", () => {
  test.each([
    ["a.weight", "a.weight", true],
    ["a.weight", "a.weights", false],
    ["a.weight", "aXweight", false],
    ["*", "", true],
    ["*.bias", "block.0.bias", true],
    ["*.bias", "bias", false],
    ["norm*.weight", "norm1.0.weight", true],
    ["a*a", "a", false],
    ["a*a", "aa", true],
    ["*ab*ab", "ab", false],
    ["*ab*ab", "abab", true],
    ["a**b", "axb", true],
    ["*b*", "abc", true],
    ["*b*", "acd", false],
    ["a?c", "abc", true],
    ["a?c", "ac", false],
    ["*?", "", false],
    ["*?b", "aab", true],
  ])("%s matches %s: %s", (pattern, name, expected) => {
    expect(matchesGlob(pattern, name)).toBe(expected);
  });

  test("agrees with a regular expression", () => {
    const letters = fc.string({ unit: fc.constantFrom("a", "b", "."), maxLength: 8 });
    const patterns = fc.string({ unit: fc.constantFrom("a", "b", ".", "*", "?"), maxLength: 6 });
    fc.assert(
      fc.property(patterns, letters, (pattern, name) => {
        const expression = new RegExp(
          `^${pattern.replaceAll(".", "\\.").replaceAll("*", ".*").replaceAll("?", ".")}$`,
        );
        expect(matchesGlob(pattern, name)).toBe(expression.test(name));
      }),
    );
  });
});

describe("matchesAny()", () => {
  test("takes any of the patterns, none of no patterns", () => {
    expect(matchesAny(["x", "a*"], "abc")).toBe(true);
    expect(matchesAny([], "abc")).toBe(false);
  });
});
