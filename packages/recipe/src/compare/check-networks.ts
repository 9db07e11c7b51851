import { at, describeDequantized, InputError } from "@isthmus/core";
import type { MergePlan } from "@isthmus/merging";
import { findOtherBases } from "./adapter-facts.ts";
import { type CheckMergeOptions, checkMerge } from "./check-merge.ts";
import type { MergeFinding } from "./findings/merge-finding.ts";
import { findGgufConflicts } from "./gguf-facts.ts";
import { readModelFacts } from "./model-facts.ts";

/** Options of {@link checkNetworks}. */
export interface CheckNetworksOptions extends Pick<CheckMergeOptions, "aligned" | "signal"> {
  /** Files or folders of the plan's networks, which hold further files beside the weights. */
  readonly paths: readonly string[];
  /** Whether a sample of the networks is compared; metadata always are. @defaultValue true */
  readonly check?: boolean | undefined;
  /** Called with sentences on what is read, such as quantised weights. @defaultValue not told */
  readonly onNote?: ((note: string) => void) | undefined;
}

/**
 * Checks the networks of a plan before they are merged: says which are read as other numbers than their files
 * hold, and looks for what makes a merge meaningless. It reads a small sample.
 *
 * Without `check` it notes only contradictions of GGUF files, by their metadata.
 * @returns the warnings
 * @throws InputError if the merge would surely be meaningless
 */
export async function checkNetworks(
  plan: MergePlan,
  { paths, check = true, onNote, ...options }: CheckNetworksOptions,
): Promise<readonly MergeFinding[]> {
  for (const line of new Set(plan.networks.flatMap(describeDequantized))) onNote?.(line);
  if (!check) {
    // Looks at metadata alone, which say what the file that is written will claim to be.
    for (const { message } of findGgufConflicts(plan.networks))
      onNote?.(
        `${message}; with --no-check they are merged all the same, and the metadata are those of the first network, or of the base.`,
      );
    return [];
  }
  const facts = await Promise.all(paths.map(readModelFacts));
  const bases = await findOtherBases(plan.networks);
  const findings = [...bases, ...(await checkMerge(plan, { ...options, facts }))];
  const error = findings.find(({ severity }) => severity === "error");
  if (error === undefined) return findings;
  const [position = 0] = error.networks;
  throw new InputError(
    `Cannot merge as the result would be meaningless: ${error.message}; ${error.advice}; --no-check merges all the same (in a script: check: false)`,
    { input: at(paths, position, "path") },
  );
}
