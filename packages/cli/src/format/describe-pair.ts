import { basename } from "node:path";
import type { PageFact } from "@isthmus/findings";
import type { AlignedNetwork } from "@isthmus/weight-matching";
import type { Context } from "../verb.ts";
import { formatObjective } from "./format-objective.ts";

/** The title and the facts on a page about two networks that were measured. */
export interface PairDescription {
  readonly title: string;
  readonly commands: readonly string[];
  readonly facts: readonly PageFact[];
  readonly version: string;
}

/**
 * Describes for a page how two networks were measured: by which command and seed, and how they were aligned.
 */
export function describePair(
  paths: readonly string[],
  { seed, summary }: { readonly seed: number; readonly summary: AlignedNetwork["summary"] | undefined },
  { commandLine, version }: Pick<Context, "commandLine" | "version">,
): PairDescription {
  return {
    title: `From ${paths.map((path) => basename(path)).join(" to ")}`,
    commands: [commandLine],
    facts: [{ name: "Seed", value: String(seed) }, ...alignmentFacts(summary)],
    version,
  };
}

/** Says for a page how the second of two networks was aligned; nothing if it was not. */
export function alignmentFacts(summary: AlignedNetwork["summary"] | undefined): readonly PageFact[] {
  if (summary === undefined) return [];
  return [
    { name: "Alignment", value: `by ${summary.method}` },
    { name: "Alignment objective", value: formatObjective(summary.objective) },
  ];
}
