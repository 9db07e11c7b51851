import type { Figure } from "./figure.ts";
import type { PageFact } from "./page-fact.ts";
import type { Table } from "./table.ts";

/** One number that sums up a result, large on its page. */
export interface Tile {
  readonly name: string;
  readonly value: string;
  readonly unit: string;
  /** Smaller lines below it. */
  readonly more: readonly string[];
  /** Index of the curve whose colour it has; grey without one. */
  readonly style?: number;
}

/** Figures and tables that belong together. */
export interface Section {
  /** Short and unique in its result: names an element. */
  readonly name: string;
  readonly title: string;
  readonly figures: readonly Figure[];
  readonly tables: readonly Table[];
}

/**
 * What a result says, in words, figures and tables: pages, files of figures and of numbers are made of it.
 */
export interface Report {
  /** What sort of result it is, in a few words. */
  readonly subject: string;
  /** What it has found, in a sentence or two. */
  readonly summary: string;
  readonly tiles: readonly Tile[];
  readonly sections: readonly Section[];
  /** How it was made, as far as the result itself knows. */
  readonly facts: readonly PageFact[];
  /** What a reader has to know of the numbers, in plain sentences. @defaultValue none */
  readonly notes?: readonly string[];
  /** Names of the tables that a terminal shows; pages and files have all. @defaultValue the first one */
  readonly shownTables?: readonly string[];
  /** What the page carries as JSON. */
  readonly data: unknown;
}
