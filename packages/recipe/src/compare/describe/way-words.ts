import { at } from "@isthmus/core";
import type { MergeAdvice } from "../advice/merge-advice.ts";

/**
 * Describes an advised way to merge in a few words, such as `task_arithmetic with lambda 0.5, from
 * base.pt`.
 */
export function describeWay(
  { method, parameters, align, base }: Pick<MergeAdvice, "method" | "parameters" | "align" | "base">,
  names: readonly string[],
): string {
  if (method === null) return "do not merge them";
  const settings = Object.entries(parameters).map(([name, value]) => `${name} ${value}`);
  return [
    `${align ? "align them, then " : ""}${method}`,
    ...(settings.length === 0 ? [] : [` with ${settings.join(", ")}`]),
    ...(base === null ? [] : [`, with ${at(names, base, "network")} as base_model`]),
  ].join("");
}
