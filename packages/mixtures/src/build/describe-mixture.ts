import type { MergePlan, SaveMergeOptions } from "@isthmus/merging";
import { summarizePlan } from "@isthmus/recipe";
import type { BuildMixtureOptions, PlannedMixture } from "./build-mixture-options.ts";

/** Describes a mixture before any weight is read: its form, and the sizes of its plan. */
export function describeMixture(
  form: Omit<PlannedMixture, "tensors" | "bytesRead" | "bytesWritten">,
  plan: MergePlan,
): PlannedMixture {
  const { bytesRead, bytesWritten } = summarizePlan(plan);
  return { ...form, tensors: plan.tensors.size, bytesRead, bytesWritten };
}

/**
 * Returns the options with which a file of a mixture is saved, but for its progress.
 * @param made - choices that decide the bytes of the file, for its metadata
 */
export function savingOptions(
  { maker, memory, allowNonFinite, overwrite = false, resume = true, ...calls }: BuildMixtureOptions,
  made: Readonly<Record<string, unknown>>,
): SaveMergeOptions {
  return {
    ...(memory === undefined ? {} : { memory }),
    ...(allowNonFinite === undefined ? {} : { allowNonFinite }),
    overwrite,
    resume,
    threads: 1,
    making: { verb: "moe", ...maker, ...made },
    signal: calls.signal,
    onStart: calls.onStart,
    onNote: calls.onNote,
  };
}
