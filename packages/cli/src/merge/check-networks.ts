import { at, InputError } from "@isthmus/core";
import type { MergePlan } from "@isthmus/merging";
import { checkMerge, findGgufConflicts, type MergeFinding, readModelFacts } from "@isthmus/recipe";
import { describeDequantized } from "../format/describe-dequantized.ts";
import { formatFindings } from "../format/format-findings.ts";
import type { Context } from "../verb.ts";
import type { MergeOptions } from "./merge-options.ts";

/**
 * Looks at a sample of the networks of a plan before they are merged, and notes possible problems on standard
 * error. With `--no-check` it only notes which GGUF files contradict each other in their metadata.
 * @returns the findings; nothing with `--no-check`
 * @throws InputError if the merge would surely be meaningless
 */
export async function checkNetworks(
  plan: MergePlan,
  paths: readonly string[],
  options: Pick<MergeOptions, "check" | "align">,
  { terminal, signal, progress }: Context,
): Promise<readonly MergeFinding[]> {
  for (const line of new Set(plan.networks.flatMap(describeDequantized))) terminal.note(line);
  if (!options.check) {
    // Looks at metadata alone, which say what the file that is written will claim to be.
    for (const { message } of findGgufConflicts(plan.networks))
      terminal.note(
        `${message}; with --no-check they are merged all the same, and the metadata are those of the first network, or of the base.`,
      );
    return [];
  }
  progress("Checking");
  const facts = await Promise.all(paths.map(readModelFacts));
  const findings = await checkMerge(plan, { aligned: options.align === true, facts, signal });
  const [first] = findings;
  if (first?.severity === "error") {
    const [position = 0] = first.networks;
    throw new InputError(
      `Cannot merge as the result would be meaningless: ${first.message}; ${first.advice}; --no-check merges all the same`,
      { input: at(paths, position, "path") },
    );
  }
  for (const line of formatFindings(findings)) terminal.note(line);
  return findings;
}
