import { FormatError } from "@isthmus/core";
import { findDeepLine, findYamlError, MOST_YAML_LEVELS } from "@isthmus/forms";
import { type Document, LineCounter, parseAllDocuments, type YAMLError, type YAMLWarning } from "yaml";
import type { Path } from "../recipe/problem.ts";
import { isMap } from "../recipe/shape.ts";
import { createPositions, type Positions } from "./positions.ts";

/** Unchecked contents of a document of a YAML file. */
export interface ParsedDocument {
  /** Contents as plain values, without keys that have no value. */
  readonly value: unknown;
  /** Places of the values in the file, for messages. */
  readonly positions: Positions;
}

/**
 * Parses the documents of a YAML file as mergekit reads them (version 1.1 of YAML); keys without a value, and
 * documents without contents, are left out.
 *
 * @param name - name of the file, for messages
 * @throws FormatError if the text is not YAML, is nested too deep for a recipe, or contains itself by an
 *   alias
 */
export function parseDocuments(text: string, name: string): readonly ParsedDocument[] {
  const tooDeep = findDeepLine(text);
  if (tooDeep !== undefined)
    throw notYaml(`${name}:${tooDeep}: it is nested deeper than ${MOST_YAML_LEVELS} levels`);
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines, version: "1.1", logLevel: "error" });
  const error = findYamlError(documents);
  if (error !== undefined)
    throw notYaml(`${name}:${lines.linePos(error.pos[0]).line}: ${explainYaml(error)}`, error);
  const parsed = documents.map((document): ParsedDocument => {
    const positions = createPositions(name, document, lines);
    const value = plainValue(document, name);
    assertTree(value, { positions, path: [], ancestors: [], reached: new Map() });
    return { value: dropEmpty(value), positions };
  });
  const filled = parsed.filter(({ value }) => value !== null && value !== undefined);
  if (filled.length > 0) return filled;
  throw notYaml(`${name}: it must have a document: it is empty`);
}

function plainValue(document: Document, name: string): unknown {
  try {
    return document.toJS();
  } catch (cause) {
    throw notYaml(`${name}: ${(cause as Error).message}`, cause);
  }
}

/** Returns the message of an error in YAML without its place. */
function explainYaml({ message }: YAMLError | YAMLWarning): string {
  return message.replace(/ at line \d+[\s\S]*$/, "");
}

function notYaml(problem: string, cause?: unknown): FormatError {
  return new FormatError(`Cannot read the recipe as it must be YAML: ${problem}`, { format: "yaml", cause });
}

/** A place in a value, with the path to it. */
interface Descent {
  readonly positions: Positions;
  readonly path: Path;
  readonly ancestors: readonly object[];
  /** The lowest level at which each part was reached, as aliases lead to a part from several places. */
  readonly reached: Map<object, number>;
}

/**
 * @throws FormatError if a value contains itself by an alias, or is nested too deep for a recipe by its
 *   aliases
 */
function assertTree(value: unknown, { positions, path, ancestors, reached }: Descent): void {
  if (typeof value !== "object" || value === null) return;
  const place = () => `${positions.name}:${positions.lineOf(path)}`;
  if (ancestors.includes(value))
    throw notYaml(
      `${place()}: "${path.at(-1)}" is an alias of what it stands in, so that it would never end`,
    );
  if (path.length > MOST_YAML_LEVELS)
    throw notYaml(`${place()}: it is nested deeper than ${MOST_YAML_LEVELS} levels by its aliases`);
  if (path.length <= (reached.get(value) ?? -1)) return;
  reached.set(value, path.length);
  const inside = { positions, ancestors: [...ancestors, value], reached };
  const entries = Array.isArray(value) ? value.entries() : Object.entries(value);
  for (const [step, item] of entries) assertTree(item, { ...inside, path: [...path, step] });
}

/** Removes keys without a value, as mergekit does, except parameters, which are checked. */
function dropEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(dropEmpty);
  if (!isMap(value)) return value;
  const filled = Object.entries(value).filter(([, item]) => item !== null && item !== undefined);
  return Object.fromEntries(
    filled.map(([key, item]) => [key, key === "parameters" ? item : dropEmpty(item)]),
  );
}
