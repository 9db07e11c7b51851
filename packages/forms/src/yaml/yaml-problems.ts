import { type Document, isAlias, isMap, isSeq, type LineCounter, type Node, type Pair } from "yaml";
import type { z } from "zod";
import { tellProblems } from "../schema/tell-problems.ts";

/** A YAML text, parsed so that the line of each value can be found. */
export interface YamlSource {
  readonly document: Document;
  readonly lines: LineCounter;
}

type Path = readonly PropertyKey[];

/**
 * Lists what is wrong in a value that was read from a YAML text, each problem with its line, as
 * `12: unknown key "epoch"; did you mean "epochs"?`.
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
  let node: unknown = document.contents;
  let offset = 0;
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document);
    const [place, child] = entryAt(node, step);
    if (child === undefined) break;
    offset = place?.range?.[0] ?? offset;
    node = child;
  }
  return lines.linePos(offset).line;
}

function entryAt(node: unknown, step: PropertyKey): [Node | undefined, unknown] {
  if (isSeq(node)) {
    const item = node.items[Number(step)];
    return [item as Node | undefined, item];
  }
  const pair = isMap(node)
    ? node.items.find(
        ({ key }: Pair) => String((key as { value?: unknown } | null)?.value ?? key) === String(step),
      )
    : undefined;
  // A key without a value is there, too.
  return pair === undefined ? [undefined, undefined] : [pair.key as Node, pair.value ?? null];
}
