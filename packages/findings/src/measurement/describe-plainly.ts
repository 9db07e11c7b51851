import { at } from "@isthmus/core";
import { factsOf } from "../facts.ts";
import type { Figure } from "../figure.ts";
import { formatCount, formatCounted, formatNumber } from "../format-value.ts";
import type { PageFact } from "../page-fact.ts";
import type { Report, Tile } from "../report.ts";
import type { CellValue, Table, TableColumn } from "../table.ts";
import type { OwnOrigin } from "./own-result.ts";

/** Keys of a result that hold its origin. */
const ORIGIN: ReadonlySet<string> = new Set<keyof OwnOrigin | "provenance">([
  "kind",
  "network",
  "a",
  "b",
  "networks",
  "data",
  "examples",
  "engine",
  "options",
  "provenance",
]);

/** Number of tiles whose numbers the summary repeats. */
const SUMMED_UP = 4;

/** Parts of a report that one value of a result makes. */
interface Shown {
  readonly tiles?: readonly Tile[];
  readonly tables?: readonly Table[];
  readonly figures?: readonly Figure[];
  readonly facts?: readonly PageFact[];
  readonly notes?: readonly string[];
}

/**
 * Describes a result by its values alone, for a kind without a description of its own: a tile for each
 * number, a table for each list and each object of numbers, a line for each list of numbers, a fact for each
 * text.
 */
export function describePlainly(result: OwnOrigin, title: string): Report {
  const values = Object.entries(result).filter(([key]) => !ORIGIN.has(key));
  const names = distinctNames(values.map(([key]) => key));
  const shown = values.map(([key, value], index) => show({ key, name: at(names, index, "name") }, value));
  const tiles = shown.flatMap((part) => part.tiles ?? []);
  const numbers = tiles.slice(0, SUMMED_UP).map(({ name, value }) => `${name} ${value}`);
  const figures = shown.flatMap((part) => part.figures ?? []);
  const tables = shown.flatMap((part) => part.tables ?? []);
  const options = Object.entries(result.options ?? {}).flatMap(([key, value]) => factOf(key, value));
  const notes = shown.flatMap((part) => part.notes ?? []);
  return {
    subject: result.kind.replaceAll("-", " "),
    summary: numbers.length === 0 ? `${title}.` : `${title}: ${numbers.join(", ")}.`,
    tiles,
    sections: tables.length === 0 ? [] : [{ name: "numbers", title: "Numbers", figures, tables }],
    facts: factsOf(result, [
      ...factOf("network", result.network),
      ...factOf("networks", result.networks),
      ...options,
      ...shown.flatMap((part) => part.facts ?? []),
    ]),
    ...(notes.length > 0 && { notes }),
    data: result,
  };
}

/**
 * A value of a result: its key, and a name for elements and files, which no other value of the result has.
 */
interface Value {
  readonly key: string;
  readonly name: string;
}

function show(of: Value, value: unknown): Shown {
  if (value === null || (typeof value === "number" && !Number.isFinite(value)))
    return { notes: [`There is no number for "${of.key}".`] };
  if (typeof value === "number") {
    const text = Number.isInteger(value) ? formatCount(value) : formatNumber(value);
    return { tiles: [{ name: wordsOf(of.key), value: text, unit: "", more: [] }] };
  }
  if (typeof value !== "object") return { facts: factOf(of.key, value) };
  if (!Array.isArray(value)) return showObject(of, value);
  if (value.length > 0 && value.every(isNumber)) return showSeries(of, value);
  if (value.length > 0 && value.every(isObject)) return showRows(of, value);
  return value.every((one) => typeof one === "string") ? { facts: factOf(of.key, value) } : leftOut(of);
}

const isNumber = (value: unknown): value is number | null => typeof value === "number" || value === null;
const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const leftOut = ({ key }: Value): Shown => ({ notes: [`"${key}" is in the JSON of the result alone.`] });

/** Shows an object of numbers as a table with a row for each. */
function showObject(of: Value, value: object): Shown {
  const rows = Object.entries(value).map(([name, number]) => ({ name, value: number }));
  return rows.every(({ value: number }) => isNumber(number)) ? showRows(of, rows) : leftOut(of);
}

/** Shows objects as a table; a note takes its place if they have neither numbers nor texts. */
function showRows(of: Value, rows: readonly object[]): Shown {
  const table = tableOf(of, rows);
  return table.columns.length === 0 ? leftOut(of) : { tables: [table] };
}

/** Shows a list of numbers as a line and a table. */
function showSeries({ key, name }: Value, values: readonly (number | null)[]): Shown {
  const words = wordsOf(key);
  const table = tableOf(
    { key, name },
    values.map((value, index) => ({ place: index + 1, [words]: value })),
  );
  const points = values.flatMap((y, index) =>
    y !== null && Number.isFinite(y) ? [{ x: index + 1, y }] : [],
  );
  if (points.length < 2) return { tables: [table] };
  const figure: Figure = {
    name,
    title: sentence(words),
    caption: `in the order of the list, ${formatCounted(points.length, "number")}.`,
    words: points.map(({ y }) => formatNumber(y)).join(", "),
    table: name,
    size: "half",
    plot: {
      kind: "lines",
      series: [{ label: words, points }],
      x: { label: "Place in the list", whole: true },
      y: { label: sentence(words) },
    },
  };
  return { tables: [table], figures: [figure] };
}

/** Makes a table of objects, with a column for each key that has numbers or texts, the texts first. */
function tableOf({ key, name }: Value, objects: readonly object[]): Table {
  const rows = objects.map((object) => new Map<string, unknown>(Object.entries(object)));
  const keys = [...new Set(rows.flatMap((row) => [...row.keys()]))];
  const columns = keys.flatMap((column) => {
    const cells = rows.map((row) => cellOf(row.get(column)));
    const kind = kindOf(cells);
    return kind === undefined ? [] : [{ title: sentence(wordsOf(column)), kind, cells }];
  });
  columns.sort((one, other) => Number(other.kind === "text") - Number(one.kind === "text"));
  return {
    name,
    title: sentence(wordsOf(key)),
    caption: `${formatCounted(rows.length, "row")}.`,
    columns: columns.map(({ title, kind }) => ({ title, kind })),
    rows: rows.map((_, index) => ({ cells: columns.map(({ cells }) => cells[index] ?? null) })),
  };
}

function cellOf(value: unknown): CellValue {
  if (typeof value === "boolean") return value ? "yes" : "no";
  return typeof value === "number" || typeof value === "string" ? value : null;
}

/** Returns the kind of the values of a column; undefined if the column is empty. */
function kindOf(cells: readonly CellValue[]): TableColumn["kind"] | undefined {
  const present = cells.filter((cell) => cell !== null);
  if (present.length === 0) return undefined;
  if (present.some((cell) => typeof cell === "string")) return "text";
  return present.every(Number.isInteger) ? "count" : "number";
}

/** Makes a fact of a value, with its key in words; an empty list for an undefined value. */
export function factOf(key: string, value: unknown): readonly PageFact[] {
  if (value === undefined) return [];
  const text = typeof value === "object" && !Array.isArray(value) ? JSON.stringify(value) : String(value);
  return [{ name: sentence(wordsOf(key)), value: text }];
}

/** Writes a key such as `largestOfAll` as words. */
const wordsOf = (key: string): string =>
  key.replace(/([a-z0-9])([A-Z])/g, (_, end: string, start: string) => `${end} ${start.toLowerCase()}`);
const sentence = (words: string): string => `${words.slice(0, 1).toUpperCase()}${words.slice(1)}`;
/** Largest number of characters of a name that is made of a key. */
const MOST_CHARACTERS = 40;

/** Makes names for elements and files from any keys: in kebab-case, no two alike. */
function distinctNames(keys: readonly string[]): readonly string[] {
  const taken = new Set<string>();
  return keys.map((key) => {
    const words = wordsOf(key.slice(0, MOST_CHARACTERS)).toLowerCase();
    const plain = words.replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "") || "value";
    let name = plain;
    for (let number = 2; taken.has(name); number++) name = `${plain}-${number}`;
    taken.add(name);
    return name;
  });
}
