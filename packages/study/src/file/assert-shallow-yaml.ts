import { FormatError } from "@isthmus/core";
import { Lexer, Parser } from "yaml";

/**
 * Deepest nesting of a study; the studies that come with `isthmus` have six levels. Each level takes one or
 * two places on the stack of the parser, which is a list. Only what follows the parser goes down by
 * recursion, and a regular expression that is compiled close to the end of the stack ends the whole process.
 */
const MOST_LEVELS = 128;
const MOST_PLACES = 2 * MOST_LEVELS;

/**
 * Checks that a YAML text is not nested deeper than any study, without recursion; whether it is YAML is not
 * looked at.
 * @param name - of the file, for messages
 * @throws FormatError if it is
 */
export function assertShallowYaml(text: string, name: string): void {
  const parser = new Parser();
  let line = 1;
  for (const lexeme of new Lexer().lex(text)) {
    // What is complete is of no use here, but the parser goes on only if it is taken.
    for (const _ of parser.next(lexeme));
    if (lexeme.includes("\n")) line += lexeme.split("\n").length - 1;
    if (parser.stack.length <= MOST_PLACES) continue;
    throw new FormatError(
      `Cannot read the study as its YAML may be nested ${MOST_LEVELS} levels deep: ${name}:${line} is nested deeper`,
      { format: "yaml" },
    );
  }
}
