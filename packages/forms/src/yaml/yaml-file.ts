import { basename } from "node:path";
import { FormatError, InputError, readTextFile } from "@isthmus/core";
import { Lexer, LineCounter, Parser, parseDocument } from "yaml";
import type { YamlSource } from "./yaml-problems.ts";

/** Problems that one error lists. */
const SHOWN_PROBLEMS = 8;

/** A YAML file that was read. */
export interface YamlFile {
  /** Name of the file, for messages. */
  readonly name: string;
  /** What finds the lines of its values. */
  readonly source: YamlSource;
  /** What it says, not yet checked. */
  readonly value: unknown;
}

/**
 * Reads a YAML file whose values are to be checked by a schema.
 * @param what - what the file describes, for messages: `study`
 * @throws InputError if it cannot be read
 * @throws FormatError if it is not YAML, or nested deeper than such files are
 */
export async function readYamlFile(path: string, what: string): Promise<YamlFile> {
  const name = basename(path);
  const source = parseYaml(await readTextFile(path), name, what);
  return { name, source, value: plainValue(source, name, what) };
}

function parseYaml(text: string, name: string, what: string): YamlSource {
  assertShallowYaml(text, name, what);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, merge: true });
  const [error] = document.errors;
  if (error !== undefined) {
    const { line } = lines.linePos(error.pos[0]);
    const [message] = error.message.split("\n");
    throw new FormatError(`Cannot read the ${what} as it must be YAML: ${name}:${line}: ${message}`, {
      format: "yaml",
      cause: error,
    });
  }
  return { document, lines };
}

/** @throws FormatError if it refers to an anchor that is not there */
function plainValue({ document }: YamlSource, name: string, what: string): unknown {
  try {
    return document.toJS();
  } catch (cause) {
    throw new FormatError(
      `Cannot read the ${what} as it must be YAML: ${name}: ${(cause as Error).message}`,
      {
        format: "yaml",
        cause,
      },
    );
  }
}

/**
 * Throws what is wrong in a file, if anything is.
 * @param what - what the file describes, for messages: `study`
 * @param problems - as {@link findProblems} lists them
 * @throws InputError if there is a problem; the message names the lines
 */
export function rejectProblems(what: string, name: string, problems: readonly string[]): void {
  if (problems.length === 0) return;
  const lines = problems.slice(0, SHOWN_PROBLEMS).map((problem) => `${name}:${problem}`);
  if (problems.length > SHOWN_PROBLEMS) lines.push(`and ${problems.length - SHOWN_PROBLEMS} more`);
  throw new InputError(`Cannot read the ${what} as it must be of the form of one: ${lines.join("\n  ")}`, {
    input: name,
  });
}

/**
 * Deepest nesting of a file; the studies that come with `isthmus` have six levels. Each level takes one or
 * two places on the stack of the parser, which is a list. Only what follows the parser goes down by
 * recursion, and a regular expression that is compiled close to the end of the stack ends the whole process.
 */
const MOST_LEVELS = 128;
const MOST_PLACES = 2 * MOST_LEVELS;

/**
 * Checks that a YAML text is not nested deeper than any such file, without recursion; whether it is YAML is
 * not looked at.
 * @param name - of the file, for messages
 * @throws FormatError if it is
 */
function assertShallowYaml(text: string, name: string, what: string): void {
  const parser = new Parser();
  let line = 1;
  for (const lexeme of new Lexer().lex(text)) {
    // What is complete is of no use here, but the parser goes on only if it is taken.
    for (const _ of parser.next(lexeme));
    if (lexeme.includes("\n")) line += lexeme.split("\n").length - 1;
    if (parser.stack.length <= MOST_PLACES) continue;
    throw new FormatError(
      `Cannot read the ${what} as its YAML may be nested ${MOST_LEVELS} levels deep: ${name}:${line} is nested deeper`,
      { format: "yaml" },
    );
  }
}
