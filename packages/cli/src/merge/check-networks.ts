import type { MergePlan } from "@isthmus/merging";
import { checkNetworks, type MergeFinding } from "@isthmus/recipe";
import { formatFindings } from "../format/format-findings.ts";
import type { Context } from "../verb.ts";
import type { MergeOptions } from "./merge-options.ts";

/**
 * Looks at a sample of the networks of a plan before they are merged, and notes possible problems on standard
 * error. With `--no-check` it only notes which GGUF files contradict each other in their metadata.
 * @returns the findings; nothing with `--no-check`
 * @throws InputError if the merge would surely be meaningless
 */
export async function checkAndNote(
  plan: MergePlan,
  paths: readonly string[],
  { check, align }: Pick<MergeOptions, "check" | "align">,
  { terminal, signal, progress }: Context,
): Promise<readonly MergeFinding[]> {
  if (check) progress("Checking");
  const onNote = (note: string): void => terminal.note(note);
  const findings = await checkNetworks(plan, { paths, check, aligned: align === true, signal, onNote });
  for (const line of formatFindings(findings)) terminal.note(line);
  return findings;
}
