import { excerpt, InputError } from "@isthmus/core";
import { RE2JS, RE2JSException } from "re2js";

/** Longest expression that is compiled, in characters. */
const MOST_CHARACTERS = 500;
/**
 * Most steps of a compiled expression. The cost of a match grows with their number, and counted repetition
 * makes many steps from few characters. An expression without it has about as many steps as characters, or
 * fewer.
 */
const MOST_STEPS = 600;

/** Options of {@link compileExpression}. */
export interface CompileExpressionOptions {
  /** Whether capital and small letters are equal. @defaultValue false */
  readonly ignoreCase?: boolean;
  /** Whether the expression must fit the whole text, not a part of it. @defaultValue false */
  readonly whole?: boolean;
}

/**
 * Compiles a regular expression from an untrusted source, and returns its test.
 *
 * The time of a test is at most the product of the steps of the expression, whose number is bounded, and the
 * length of the text: all ways to match are followed at once, as in RE2 (Cox, Regular expression matching can
 * be simple and fast, 2007). The syntax is the one of Python and JavaScript, without look-around and
 * back-references, whose time has no bound.
 *
 * @throws InputError if the expression is invalid or too long, or uses syntax that RE2 lacks
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { compileExpression } from "@isthmus/merging";
 *
 * const fits = compileExpression(String.raw`layers\.[0-4]\.mlp`);
 * assert(fits("model.layers.3.mlp.up_proj.weight"));
 * assert(!fits("model.layers.7.mlp.up_proj.weight"));
 * ```
 */
export function compileExpression(
  expression: string,
  { ignoreCase = false, whole = false }: CompileExpressionOptions = {},
): (text: string) => boolean {
  if (expression.length > MOST_CHARACTERS)
    throw rejected(expression, `it may have ${MOST_CHARACTERS} characters: it has ${expression.length}`);
  try {
    const compiled = RE2JS.compile(translate(expression), ignoreCase ? RE2JS.CASE_INSENSITIVE : 0);
    const steps = compiled.programSize();
    if (steps > MOST_STEPS)
      throw rejected(
        expression,
        `it may need ${MOST_STEPS} steps, and counts such as {900} need many: it needs ${steps}`,
      );
    return whole ? (text) => compiled.testExact(text) : (text) => compiled.test(text);
  } catch (cause) {
    if (!(cause instanceof RE2JSException)) throw cause;
    throw rejected(expression, explain(expression, cause.message), cause);
  }
}

/**
 * Translates an expression to the syntax of RE2: `\u0041` of JavaScript, and `\Z` of Python, the end of the
 * text.
 */
function translate(expression: string): string {
  return expression.replace(/\\(?:u([0-9a-f]{4})|.)/gis, (written, code: string | undefined) => {
    if (code !== undefined) return `\\x{${code}}`;
    return written === "\\Z" ? "\\z" : written;
  });
}

/** Pattern of look-around, atomic groups and back-references, which RE2 lacks. */
const UNBOUNDED = /\(\?(?:<?[=!]|>|P=)|\\[1-9]|\\k</;

function explain(expression: string, message: string): string {
  if (UNBOUNDED.test(expression))
    return "it must do without look-around and references back, whose time has no bound: write several filters, the first that fits counts";
  return message.replace(/^error parsing regexp: /, "");
}

function rejected(expression: string, problem: string, cause?: unknown): InputError {
  const text = `Cannot match by the regular expression ${excerpt(expression)}: ${problem}`;
  return new InputError(text, { input: expression, cause });
}
