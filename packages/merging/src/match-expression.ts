import { excerpt, InputError } from "@isthmus/core";
import { RE2JS, RE2JSException } from "re2js";

/** Longest expression that is compiled, in characters. */
const MOST_CHARACTERS = 500;
/**
 * Most steps of a compiled expression: the cost of a match grows with them, and counted repetition makes many
 * of few characters. An expression without it has fewer steps than characters, or so.
 */
const MOST_STEPS = 600;

/** Options of {@link compileExpression}. */
export interface CompileExpressionOptions {
  /** Whether capital and small letters count as the same. @defaultValue false */
  readonly ignoreCase?: boolean;
  /** Whether the expression must fit the whole text, not a part of it. @defaultValue false */
  readonly whole?: boolean;
}

/**
 * Compiles a regular expression that a stranger may have written, and returns the test for it.
 *
 * The time of a test is at most the product of the steps of the expression, whose number is bounded, and the
 * length of the text: all ways to match are followed at once, as in RE2 (Cox, Regular expression matching can
 * be simple and fast, 2007). The syntax is that of Python and JavaScript but for look-around and references
 * back, which know no such bound.
 *
 * @throws InputError if it is no regular expression, is too long, or has what RE2 does not know
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

/** Writes an expression as RE2 knows it: `\u0041` of JavaScript, and the end of the text of Python, `\Z`. */
function translate(expression: string): string {
  return expression.replace(/\\(?:u([0-9a-f]{4})|.)/gis, (written, code: string | undefined) => {
    if (code !== undefined) return `\\x{${code}}`;
    return written === "\\Z" ? "\\z" : written;
  });
}

/** Look-around, atomic groups and references back, which RE2 leaves out. */
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
