import type * as z from "zod";
import type { Report } from "./report.ts";

/** Fields that results of all kinds have. */
export interface MeasuredResult {
  /** Name of the kind of result. */
  readonly kind: string;
}

/** A kind of result: its form in files, and its description for readers. */
export interface ResultKind<R extends MeasuredResult> {
  /** Name of the kind, which every result of it has in its field `kind`. */
  readonly kind: R["kind"];
  /** Loads the form of a result, as files hold it. */
  form(): Promise<z.ZodType>;
  /**
   * Lists the sizes in a result that contradict each other; the form checks each part by itself only.
   * @defaultValue none depend on each other
   */
  findSizeProblems?(result: R): readonly string[];
  /** Describes a result: its words, tables and figures, for pages, files and the terminal. */
  describe(result: R): Report;
  /** Returns the title of a result's page. */
  titleOf(result: R): string;
}
