import type { Document, LineCounter } from "yaml";
import type { z } from "zod";
import { tellProblems } from "../schema/tell-problems.ts";
import { keyOffset } from "./key-offset.ts";

/** A YAML text, parsed so that the line of each value can be found. */
export interface YamlSource {
  /** Syntax tree of the text, whose nodes know their offsets. */
  readonly document: Document;
  /** Table that converts offsets in the text to lines and columns, from 1. */
  readonly lines: LineCounter;
}

type Path = readonly PropertyKey[];

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
