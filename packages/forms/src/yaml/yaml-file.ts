import { FormatError, InputError, readTextFile } from "@isthmus/core";
import { basename } from "@isthmus/platform";
import { type Document, LineCounter, parseDocument } from "yaml";
import type * as z from "zod";
import { tellProblems } from "../schema/tell-problems.ts";
import { findDeepLine, MOST_YAML_LEVELS } from "./deep-yaml.ts";
import { findYamlError } from "./find-yaml-error.ts";
import { keyOffset } from "./key-offset.ts";

/** Largest number of problems that one error lists. */
const SHOWN_PROBLEMS = 8;

/** A YAML file that was read. */
export interface YamlFile {
  /** Name of the file, for messages. */
  readonly name: string;
  /** Parsed text, by which the lines of its values are found. */
  readonly source: YamlSource;
  /** Contents of the file, not yet checked. */
  readonly value: unknown;
}

/** A YAML text, parsed so that the line of each value can be found. */
export interface YamlSource {
  /** Syntax tree of the text, whose nodes know their offsets. */
  readonly document: Document;
  /** Table that converts offsets in the text to lines and columns, from 1. */
  readonly lines: LineCounter;
}

type Path = readonly PropertyKey[];

/**
 * Reads a YAML file whose values are to be checked by a schema.
 * @param what - noun for the contents of the file, for messages, such as `study`
 * @throws InputError if it cannot be read
 * @throws FormatError if it is not YAML, or nested deeper than such files may be
 */
export async function readYamlFile(path: string, what: string): Promise<YamlFile> {
  const name = basename(path);
  const source = parseYaml(await readTextFile(path), name, what);
  return { name, source, value: plainValue(source, name, what) };
}

function parseYaml(text: string, name: string, what: string): YamlSource {
  const tooDeep = findDeepLine(text);
  if (tooDeep !== undefined) {
    throw new FormatError(
      `Cannot read the ${what} as its YAML may be nested ${MOST_YAML_LEVELS} levels deep: ${name}:${tooDeep} is nested deeper`,
      { format: "yaml" },
    );
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, merge: true, logLevel: "error" });
  const error = findYamlError([document]);
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

/**
 * Returns a document as plain data.
 * @throws FormatError if it refers to an anchor that does not exist
 */
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
 * Throws an error that lists the problems of a file, if there are any.
 * @param what - noun for the contents of the file, for messages, such as `study`
 * @param problems - problems from {@link findProblems}
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
 * Lists the problems in a value that was read from a YAML text, each with its line, such as `12: unknown key
 * "epoch"; did you mean "epochs"?`.
 * @param at - path of the value in the text
 */
export function findProblems(
  schema: z.ZodType,
  value: unknown,
  { source, at = [] }: { readonly source: YamlSource; readonly at?: Path },
): readonly string[] {
  return tellProblems(schema, value, at).map(({ path, text }) => `${lineOf(source, path)}: ${text}`);
}

/** Finds the line of the key that a path ends in, or else of the nearest existing key around it. */
function lineOf({ document, lines }: YamlSource, path: Path): number {
  return lines.linePos(keyOffset(document, path) ?? 0).line;
}
