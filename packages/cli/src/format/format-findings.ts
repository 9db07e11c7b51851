import type { MergeFinding } from "@isthmus/recipe";

/** Formats the findings before a merge, each with its remedy on a line of its own. */
export function formatFindings(
  findings: readonly Pick<MergeFinding, "severity" | "message" | "advice">[],
): string[] {
  return findings.flatMap(({ severity, message, advice }) => [`${severity}: ${message}`, `  ${advice}`]);
}
