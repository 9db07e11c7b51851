import { saveFile } from "@isthmus/core";
import type { PageFact } from "@isthmus/findings";
import { type DrawableResult, renderResultPage, titleOfResult } from "@isthmus/report";
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

/** How a result was made. */
export interface MadeResult {
  /** Files that the result was made from, which are not written over. */
  readonly inputs: readonly string[];
  /** Facts that the page shows beside the facts of the result. @defaultValue none */
  readonly facts?: readonly PageFact[];
  readonly context: Context;
}

/**
 * Writes the JSON of a result with the command that made it, and its page, if options name files for them.
 */
export async function saveResult(
  result: DrawableResult,
  { output, report }: ResultFiles,
  { inputs, facts = [], context }: MadeResult,
): Promise<void> {
  const { provenance, commandLine, version } = context;
  if (output !== undefined)
    await saveFile(output, formatJson(await withProvenance(result, provenance)), inputs);
  if (report === undefined) return;
  const page = { title: await titleOfResult(result), result, facts, commands: [commandLine], version };
  await saveFile(report, await renderResultPage(page), inputs);
}
