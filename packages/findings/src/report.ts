import type { Figure } from "./figure.ts";
import type { PageFact } from "./page-fact.ts";
import type { Table } from "./table.ts";

/** One number that sums up a result, large on its page. */
export interface Tile {
  /** Name of the number, above it. */
  readonly name: string;
  /** Number with its digits, as the page shows it. */
  readonly value: string;
  /** Unit of the number, beside it; empty without one. */
  readonly unit: string;
  /** Smaller lines below it. */
  readonly more: readonly string[];
  /** Index of the curve whose colour it has; grey without one. */
  readonly style?: number;
}

/** Figures and tables that belong together. */
export interface Section {
  /** Short name of an element of the page, unique in its result. */
  readonly name: string;
  /** Heading above the section. */
  readonly title: string;
  /** Figures of the section, in the order of the page. */
  readonly figures: readonly Figure[];
  /** Tables below the figures, in the order of the page. */
  readonly tables: readonly Table[];
}

/** Makes the section of one table, whose name and title it has. */
export function sectionOfTable(table: Table): Section {
  const { name, title } = table;
  return { name, title, figures: [], tables: [table] };
}

/**
 * Description of a result in words, figures and tables: pages, files of figures and of numbers are made of
 * it.
 */
export interface Report {
  /** Words for the sort of result. */
  readonly subject: string;
  /** Summary of the findings, in a sentence or two. */
  readonly summary: string;
  /** Numbers at the top of the page. */
  readonly tiles: readonly Tile[];
  /** Sections of the page, in order. */
  readonly sections: readonly Section[];
  /** Facts about its origin, as far as the result itself records it. */
  readonly facts: readonly PageFact[];
  /** Notes that a reader of the numbers has to know, in plain sentences. @defaultValue none */
  readonly notes?: readonly string[];
  /** Names of the tables that a terminal shows; pages and files have all. @defaultValue the first one */
  readonly shownTables?: readonly string[];
  /** Data that the page carries as JSON. */
  readonly data: unknown;
}
