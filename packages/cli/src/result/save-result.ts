import { saveFile } from "@isthmus/core";
import type { PageFact, Report } from "@isthmus/findings";
import { type DrawableResult, describeResult, renderPage, titleOfResult } from "@isthmus/report";
import { formatJson } from "../format/format-json.ts";
import type { Context } from "../verb.ts";
import { withProvenance } from "./result-provenance.ts";

/** Files that a result is written to, as far as options name them. */
export interface ResultFiles {
  /** File for the JSON of the result. */
  readonly output?: string | undefined;
  /** File for its page. */
  readonly report?: string | undefined;
}

/** Origin of a result. */
export interface MadeResult {
  /** Files that the result was made from, and that must not be overwritten. */
  readonly inputs: readonly string[];
  /** Facts that the page shows beside the facts of the result. @defaultValue none */
  readonly facts?: readonly PageFact[];
  /** Command line, version and provenance, which result and page show. */
  readonly context: Context;
}

/**
 * Writes the JSON of a result with the command that made it, and its page, if options name files for them.
 */
export async function saveResult(
  result: DrawableResult,
  { output, report }: ResultFiles,
  made: MadeResult,
): Promise<void> {
  const { inputs, context } = made;
  if (output !== undefined)
    await saveFile(output, formatJson(await withProvenance(result, context.provenance)), inputs);
  if (report === undefined) return;
  const [title, described] = [await titleOfResult(result), await describeResult(result)];
  await savePage(report, { title, report: described }, made);
}

/** Contents and title of a page. */
export interface SavedPage {
  /** Title of the page. */
  readonly title: string;
  /** Tables, figures and text of the page as plain data. */
  readonly report: Report;
}

/** Writes a page, with the command that made its contents. */
export async function savePage(
  path: string,
  { title, report }: SavedPage,
  { inputs, facts = [], context: { commandLine, version } }: MadeResult,
): Promise<void> {
  await saveFile(path, await renderPage({ title, facts, commands: [commandLine], version }, report), inputs);
}
