import type { z } from "zod";
import type { Report } from "./report.ts";

/** What results of all kinds say of themselves. */
export interface MeasuredResult {
  /** Names what the result is of. */
  readonly kind: string;
}

/** A kind of result: how it is read back from a file, and what it shows. */
export interface ResultKind<R extends MeasuredResult> {
  readonly kind: R["kind"];
  /** Loads the form of a result, as files hold it. */
  form(): Promise<z.ZodType>;
  /**
   * Lists which sizes in a result do not belong together; the form of one part knows nothing of the others.
   * @defaultValue none depend on each other
   */
  findSizeProblems?(result: R): readonly string[];
  /** Says what a result shows: its words, tables and figures, for pages, files and the terminal. */
  describe(result: R): Report;
  /** Returns the title of a result's page. */
  titleOf(result: R): string;
}
