import { Lexer, Parser } from "yaml";

/**
 * Largest depth of nesting of a file; the studies that come with `isthmus` have six levels. The parser does
 * not recurse, but the steps after it do, and a regular expression that is compiled close to the end of the
 * stack ends the whole process.
 */
export const MOST_YAML_LEVELS = 128;
/** Largest length of the parser's stack, which is a list: each level takes one or two places. */
const MOST_PLACES = 2 * MOST_YAML_LEVELS;

/**
 * Finds the line on which a YAML text is nested deeper than any file may be, without recursion; undefined if
 * there is none. The text need not be YAML.
 */
export function findDeepLine(text: string): number | undefined {
  const parser = new Parser();
  let line = 1;
  for (const lexeme of new Lexer().lex(text)) {
    // Complete parts are of no use here, but the parser goes on only if they are taken.
    for (const _ of parser.next(lexeme));
    if (lexeme.includes("\n")) line += lexeme.split("\n").length - 1;
    if (parser.stack.length > MOST_PLACES) return line;
  }
  return undefined;
}
