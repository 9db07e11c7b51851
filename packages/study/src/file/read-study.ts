import { basename } from "node:path";
import { FormatError, InputError, readTextFile } from "@isthmus/core";
import { Lexer, LineCounter, Parser, parseDocument } from "yaml";
import type { ZodType } from "zod";
import { assertStudySize } from "../description/assert-study-size.ts";
import type { RepeatedNetwork, StudyDescription } from "../description/study-description.ts";
import { unfold } from "../description/unfold.ts";
import { findProblems, type StudySource } from "./study-problems.ts";
import { LOADED_NETWORK, MEASUREMENT, STAR_NETWORK, STUDY, TRAINED_NETWORK } from "./study-schema.ts";

/** Problems that one error lists. */
const SHOWN_PROBLEMS = 8;

/**
 * Reads a study from a YAML file.
 * @throws InputError if it cannot be read, is not of the form of a study, or describes more than a study may
 *   have; the message names the lines
 * @throws FormatError if it is not YAML
 */
export async function readStudy(path: string): Promise<StudyDescription> {
  const name = basename(path);
  const source = parseYaml(await readTextFile(path), name);
  const value = plainValue(source, name);
  reject(name, findProblems(STUDY, value, { source }));
  const study = value as StudyDescription;
  assertStudySize(study);
  reject(name, [...new Set(findEntryProblems(study, source))]);
  return study;
}

function parseYaml(text: string, name: string): StudySource {
  assertShallowYaml(text, name);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, merge: true });
  const [error] = document.errors;
  if (error !== undefined) {
    const { line } = lines.linePos(error.pos[0]);
    const [message] = error.message.split("\n");
    throw new FormatError(`Cannot read the study as it must be YAML: ${name}:${line}: ${message}`, {
      format: "yaml",
      cause: error,
    });
  }
  return { document, lines };
}

/** @throws FormatError if it refers to an anchor that is not there */
function plainValue({ document }: StudySource, name: string): unknown {
  try {
    return document.toJS();
  } catch (cause) {
    throw new FormatError(`Cannot read the study as it must be YAML: ${name}: ${(cause as Error).message}`, {
      format: "yaml",
      cause,
    });
  }
}

/** Finds problems of networks and measurements, which are checked once their variables have values. */
function* findEntryProblems(
  { networks, measurements }: StudyDescription,
  source: StudySource,
): Iterable<string> {
  for (const [name, repeated] of Object.entries(networks)) {
    for (const { entry } of unfold<object>(`networks.${name}`, repeated)) {
      yield* findProblems(schemaOf(repeated), entry, { source, at: ["networks", name] });
    }
  }
  for (const [name, repeated] of Object.entries(measurements)) {
    for (const { entry } of unfold<object>(`measurements.${name}`, repeated)) {
      yield* findProblems(MEASUREMENT, entry, { source, at: ["measurements", name] });
    }
  }
}

function schemaOf(network: RepeatedNetwork): ZodType {
  if ("star" in network) return STAR_NETWORK;
  return "net" in network ? TRAINED_NETWORK : LOADED_NETWORK;
}

function reject(name: string, problems: readonly string[]): void {
  if (problems.length === 0) return;
  const lines = problems.slice(0, SHOWN_PROBLEMS).map((problem) => `${name}:${problem}`);
  if (problems.length > SHOWN_PROBLEMS) lines.push(`and ${problems.length - SHOWN_PROBLEMS} more`);
  throw new InputError(`Cannot read the study as it must be of the form of one: ${lines.join("\n  ")}`, {
    input: name,
  });
}

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
function assertShallowYaml(text: string, name: string): void {
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
