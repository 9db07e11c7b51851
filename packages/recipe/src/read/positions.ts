import { type Document, isAlias, isMap, isSeq, type LineCounter, type Node, type Pair } from "yaml";
import type { Path } from "../recipe/shape.ts";

/** Where the parts of a recipe stand in its file. */
export interface Positions {
  /** Name of the file, for messages. */
  readonly name: string;
  /** Finds the line of a value, counted from 1. */
  lineOf(path: Path): number;
}

/** Positions of recipes that were read from a text; recipes that a program made have none. */
const POSITIONS = new WeakMap<object, Positions>();

/** Remembers where the parts of a recipe stand. */
export function rememberPositions(recipe: object, positions: Positions): void {
  POSITIONS.set(recipe, positions);
}

/** Formats a place in a recipe for a message: its keys, and file and line where they are known. */
export function formatPlace(recipe: object, path: Path): string {
  const positions = POSITIONS.get(recipe);
  const keys = formatPath(path);
  if (positions === undefined) return `"${keys}"`;
  return `${positions.name}:${positions.lineOf(path)}: "${keys}"`;
}

/** Formats a path as one writes it in a program: `models[1].parameters.weight`. */
function formatPath(path: Path): string {
  if (path.length === 0) return "the recipe";
  return path.reduce<string>(
    (text, step) => (typeof step === "number" ? `${text}[${step}]` : text === "" ? step : `${text}.${step}`),
    "",
  );
}

/** Creates the positions of a YAML document. */
export function createPositions(name: string, document: Document, lines: LineCounter): Positions {
  return { name, lineOf: (path) => lines.linePos(offsetOf(document, path)).line };
}

/** Creates the positions of a recipe inside another, at a path of it. */
export function positionsInside(positions: Positions, at: Path): Positions {
  return { name: positions.name, lineOf: (path) => positions.lineOf([...at, ...path]) };
}

/** Finds where the key that a path ends in stands, or else the nearest key around it that is there. */
function offsetOf(document: Document, path: Path): number {
  let node: unknown = document.contents;
  let offset = isMap(node) ? startOf(node, 0) : 0;
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document);
    const [place, child] = childOf(node, step);
    if (place === undefined) break;
    offset = startOf(place, offset);
    node = child;
  }
  return offset;
}

function startOf({ range }: Node, fallback: number): number {
  return range ? range[0] : fallback;
}

function childOf(node: unknown, step: string | number): readonly [Node | undefined, unknown] {
  if (isSeq(node)) {
    const item = node.items[Number(step)] as Node | undefined;
    return [item, item];
  }
  if (!isMap(node)) return [undefined, undefined];
  const pair = node.items.find(
    ({ key }: Pair) => String((key as { value?: unknown }).value) === String(step),
  );
  return pair === undefined ? [undefined, undefined] : [pair.key as Node, pair.value];
}
