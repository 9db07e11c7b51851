import type { MergeFinding } from "@isthmus/recipe";

/** Formats what was found before a merge, each finding with what to do on a line of its own. */
export function formatFindings(
  findings: readonly Pick<MergeFinding, "severity" | "message" | "advice">[],
): string[] {
  return findings.flatMap(({ severity, message, advice }) => [`${severity}: ${message}`, `  ${advice}`]);
}
