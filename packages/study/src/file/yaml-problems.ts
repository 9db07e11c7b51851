import { closestName, tellProblem } from "@isthmus/core";
import { type Document, isAlias, isMap, isSeq, type LineCounter, type Node, type Pair } from "yaml";
import { z } from "zod";

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
  const { error } = schema.safeParse(value);
  return (error?.issues ?? []).flatMap((issue) => {
    const path = [...at, ...issue.path];
    if (issue.code !== "unrecognized_keys") return [`${lineOf(source, path)}: ${tellProblem(path, issue)}`];
    const keys = knownKeys(schema, value, issue.path);
    return issue.keys.map((key) => {
      const meant = closestName(key, keys);
      const hint = meant === undefined ? `known are ${keys.join(", ")}` : `did you mean "${meant}"?`;
      return `${lineOf(source, [...path, key])}: unknown key "${key}"; ${hint}`;
    });
  });
}

/**
 * Lists the keys that the schema has where `path` leads; of several options it takes the one that fits best.
 */
function knownKeys(schema: z.ZodType, value: unknown, path: Path): readonly string[] {
  let at: z.ZodType | undefined = schema;
  let here = value;
  for (const step of path) {
    at = childOf(at, here, step);
    here = (here as Readonly<Record<PropertyKey, unknown>> | undefined)?.[step];
  }
  const object = choose(at, here);
  return object instanceof z.ZodObject ? Object.keys(object.shape) : [];
}

function childOf(schema: z.ZodType | undefined, value: unknown, step: PropertyKey): z.ZodType | undefined {
  const chosen = choose(schema, value);
  if (chosen instanceof z.ZodObject) return chosen.shape[step as string] as z.ZodType | undefined;
  if (chosen instanceof z.ZodRecord) return chosen.valueType as z.ZodType;
  return chosen instanceof z.ZodArray ? (chosen.element as z.ZodType) : undefined;
}

/** Returns a schema without what makes it optional; of several options, the one of the value's kind. */
function choose(schema: z.ZodType | undefined, value: unknown): z.ZodType | undefined {
  if (schema instanceof z.ZodOptional) return choose(schema.unwrap() as z.ZodType, value);
  if (!(schema instanceof z.ZodDiscriminatedUnion)) return schema;
  const kind = (value as { kind?: unknown } | undefined)?.kind;
  return (schema.options as readonly z.ZodObject[]).find(
    ({ shape }) => (shape["kind"] as z.ZodLiteral | undefined)?.value === kind,
  );
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
