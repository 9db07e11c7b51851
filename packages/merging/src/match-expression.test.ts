import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileExpression } from "./match-expression.ts";

describe("compileExpression()", () => {
  test.each([
    [
      "/^(([a-z_0-9])+.?)+[A-Z]$/",
      "^(([a-z_0-9])+.?)+[A-Z]$",
      "model.layers.0.self_attn.q_proj.weight",
      false,
    ],
    ["(a+)+$", "(a+)+$", `${"a".repeat(4000)}!`, false],
    ["(.*)*x$", "(.*)*x$", `model.${"layers.".repeat(500)}0`, false],
    ["optional letters", `${"x?".repeat(60)}${"x".repeat(60)}`, "x".repeat(60), true],
  ])("ends on %s, which backtracking does not", (_, expression, text, expected) => {
    expect(compileExpression(expression)(text)).toBe(expected);
  });

  test.each([
    [String.raw`layers\.[0-4]\.mlp`, "model.layers.4.mlp.w", true],
    [String.raw`^model\.layers\.\d+\.(self_attn|mlp)\.`, "model.layers.12.mlp.w", true],
    [String.raw`\bq_proj\b`, "a.q_proj.w", true],
    ["(?i)MLP", "a.mlp.w", true],
    ["(?P<part>q|k)_proj", "a.k_proj.w", true],
    [String.raw`\u006dlp\/`, "mlp/w", true],
    [String.raw`weight\Z`, "a.weight", true],
    [String.raw`\\Z`, String.raw`a\Z`, true],
    ["up{1,2}_", "upp_", true],
  ])("knows the syntax of Python and JavaScript: %s", (expression, text, expected) => {
    expect(compileExpression(expression)(text)).toBe(expected);
  });

  test("fits a whole text, or ignores case, if asked", () => {
    expect(compileExpression("q|k_proj", { whole: true })("q_proj")).toBe(false);
    expect(compileExpression("MLP", { ignoreCase: true })("mlp.w")).toBe(true);
    expect(compileExpression("MLP")("mlp.w")).toBe(false);
  });

  test("agrees with a regular expression of JavaScript", () => {
    const parts = ["a", "b", ".", "[ab]", "(a|b)", "(?:ab)", "a?", "b*", "[^a]+", "a{2}"];
    const expressions = fc.array(fc.constantFrom(...parts), { minLength: 1, maxLength: 5 });
    const texts = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 8 });
    fc.assert(
      fc.property(expressions, fc.boolean(), texts, (list, whole, text) => {
        const expression = list.join("");
        const theirs = new RegExp(whole ? `^(?:${expression})$` : expression).test(text);
        expect(compileExpression(expression, { whole })(text)).toBe(theirs);
      }),
    );
  });

  test.each([
    ["layers(?!3)", "must do without look-around"],
    ["(?<=a)b", "must do without look-around"],
    [String.raw`(a)\1`, "must do without look-around and references back"],
    ["(", 'by the regular expression "(": missing closing )'],
    ["(a{1000}){1000}", "invalid repeat count"],
  ])("refuses %s, and says why", (expression, message) => {
    expect(() => compileExpression(expression)).toThrow(message);
  });

  test("refuses expressions that are too long, as they are written or as counts make them", () => {
    expect(() => compileExpression("a".repeat(501))).toThrow("it may have 500 characters: it has 501");
    expect(() => compileExpression(String.raw`([\w.]?){900}`.repeat(26))).toThrow(/it may need 600 steps/);
    expect(compileExpression("(layers[.]){0,20}mlp")("layers.mlp")).toBe(true);
  });
});
