import { closestName } from "@isthmus/core";
import type { Path, Problem } from "./problem.ts";

/** Form of a value in a recipe, from which both its check and its JSON Schema are derived. */
export type Shape =
  | { /** Text, of the choices if given. */ readonly kind: "text"; readonly choices?: readonly string[] }
  | { /** Finite number. */ readonly kind: "number"; readonly whole?: true; readonly least?: number }
  | { /** Truth value: true or false. */ readonly kind: "truth" }
  | { /** List of items. */ readonly kind: "list"; readonly items: Shape; readonly length?: number }
  | { readonly kind: "map"; readonly name: string; readonly keys: Readonly<Record<string, Key>> }
  | { /** Object with any keys and values of one form. */ readonly kind: "table"; readonly values: Shape }
  | Either;

/** A value of one of several forms. */
export interface Either {
  /** Kind of the form. */
  readonly kind: "either";
  /** Name of the definition in the JSON Schema. */
  readonly name: string;
  /** Description of the required value, for messages. */
  readonly what: string;
  /** Returns the forms that the value may have; a function, as forms may contain themselves. */
  readonly options: () => readonly Shape[];
  /** Returns the option that a value is probably meant to match; undefined if it resembles none. */
  readonly choose: (value: unknown) => Shape | undefined;
}

/** One key of a map. */
export interface Key {
  /** Form of the value of the key. */
  readonly shape: Shape;
  /** Purpose of the key, in one sentence. */
  readonly description: string;
  /** Whether the map must have the key; absent if it may lack it. */
  readonly required?: true;
}

/** Checks whether a value is an object with keys. */
export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Lists all problems of the form of a value. */
export function findProblems(shape: Shape, value: unknown, path: Path = []): readonly Problem[] {
  switch (shape.kind) {
    case "text":
      return findTextProblems(shape, value, path);
    case "number":
      return fitsNumber(shape, value) ? [] : wrong(describeNumber(shape), value, path);
    case "truth":
      return typeof value === "boolean" ? [] : wrong("true or false", value, path);
    case "list":
      return findListProblems(shape, value, path);
    case "table":
      if (!isMap(value)) return wrong("keys with values", value, path);
      return Object.entries(value).flatMap(([key, item]) => findProblems(shape.values, item, [...path, key]));
    case "map":
      return isMap(value) ? findMapProblems(shape.keys, value, path) : wrong("keys with values", value, path);
    case "either": {
      const option = shape.choose(value);
      return option === undefined ? wrong(shape.what, value, path) : findProblems(option, value, path);
    }
  }
}

type Of<K extends Shape["kind"]> = Extract<Shape, { readonly kind: K }>;

function wrong(rule: string, value: unknown, path: Path): readonly Problem[] {
  return [{ path, text: `must be ${rule}: it is ${show(value)}` }];
}

function findTextProblems({ choices }: Of<"text">, value: unknown, path: Path): readonly Problem[] {
  if (typeof value !== "string") return wrong("a text", value, path);
  return choices?.includes(value) === false ? [unknownChoice(path, value, choices)] : [];
}

function fitsNumber({ whole, least = Number.NEGATIVE_INFINITY }: Of<"number">, value: unknown): boolean {
  const fits = whole ? Number.isSafeInteger(value) : Number.isFinite(value);
  return fits && (value as number) >= least;
}

function describeNumber({ whole, least }: Of<"number">): string {
  return `a ${whole ? "whole " : ""}number${least === undefined ? "" : ` of at least ${least}`}`;
}

function findListProblems({ items, length }: Of<"list">, value: unknown, path: Path): readonly Problem[] {
  if (!Array.isArray(value) || (length !== undefined && value.length !== length))
    return wrong(length === undefined ? "a list" : `a list of ${length} values`, value, path);
  return value.flatMap((item, i) => findProblems(items, item, [...path, i]));
}

function findMapProblems(
  keys: Readonly<Record<string, Key>>,
  value: Readonly<Record<string, unknown>>,
  path: Path,
): readonly Problem[] {
  const names = Object.keys(keys);
  const missing = names
    .filter((key) => keys[key]?.required && value[key] === undefined)
    .map((key): Problem => ({ path: [...path, key], text: "is missing" }));
  const wrong = Object.entries(value).flatMap(([key, item]): readonly Problem[] => {
    const described = Object.hasOwn(keys, key) ? keys[key] : undefined;
    if (described !== undefined)
      return item === undefined ? [] : findProblems(described.shape, item, [...path, key]);
    return [unknownKey([...path, key], key, names)];
  });
  return [...missing, ...wrong];
}

function unknownKey(path: Path, key: string, names: readonly string[]): Problem {
  const meant = closestName(key, names);
  if (meant !== undefined) return { path, text: `is no key here; did you mean "${meant}"?` };
  const text = `has no effect as it is no key here; the keys are ${names.join(", ")}`;
  return { path, text, tolerated: "unknown key" };
}

function unknownChoice(path: Path, value: string, choices: readonly string[]): Problem {
  const meant = closestName(value, choices);
  const hint = meant === undefined ? "" : `; did you mean "${meant}"?`;
  return { path, text: `must be one of ${choices.join(", ")}: it is "${value}"${hint}` };
}

/** Longest text of a value in a message. */
const SHOWN = 60;

/** Formats a value for a message. */
export function show(value: unknown): string {
  if (value === null || value === undefined) return "empty";
  // JSON writes infinities and NaN as null.
  const text = typeof value === "number" ? String(value) : JSON.stringify(value);
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}...` : text;
}
