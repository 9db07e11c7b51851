import { saveFile } from "@isthmus/core";
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

/**
 * Writes the JSON of a result with the command that made it, and its page, where options name files for them.
 * @param made - `inputs`: files that the result was made from, which are not written over
 */
export async function saveResult(
  result: DrawableResult,
  { output, report }: ResultFiles,
  { inputs, context }: { readonly inputs: readonly string[]; readonly context: Context },
): Promise<void> {
  const { provenance, commandLine, version } = context;
  if (output !== undefined) await saveFile(output, formatJson(withProvenance(result, provenance)), inputs);
  if (report === undefined) return;
  const page = { title: await titleOfResult(result), result, commands: [commandLine], version };
  await saveFile(report, await renderResultPage(page), inputs);
}
