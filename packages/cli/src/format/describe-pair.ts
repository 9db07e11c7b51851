import { type PageFact, titlesOfFiles } from "@isthmus/findings";
import type { AlignedNetwork } from "@isthmus/weight-matching";
import type { Context } from "../verb.ts";
import { describeObjective } from "./format-objective.ts";

/** Title and facts of a page about two networks that were measured. */
export interface PairDescription {
  /** Title of the page, with the names of both files. */
  readonly title: string;
  /** Command lines that made the result, which the page shows. */
  readonly commands: readonly string[];
  /** Facts about the measurement, such as its seed and the alignment. */
  readonly facts: readonly PageFact[];
  /** Version of this program. */
  readonly version: string;
}

/** Describes the measurement of two networks for a page: its command, its seed, and their alignment. */
export function describePair(
  paths: readonly string[],
  { seed, summary }: { readonly seed: number; readonly summary: AlignedNetwork["summary"] | undefined },
  { commandLine, version }: Pick<Context, "commandLine" | "version">,
): PairDescription {
  return {
    title: `From ${titlesOfFiles(paths).join(" to ")}`,
    commands: [commandLine],
    facts: [{ name: "Seed", value: String(seed) }, ...alignmentFacts(summary)],
    version,
  };
}

/** Returns the facts of a page about the alignment of the second of two networks; empty if there was none. */
export function alignmentFacts(summary: AlignedNetwork["summary"] | undefined): readonly PageFact[] {
  if (summary === undefined) return [];
  return [{ name: "Alignment", value: `by ${summary.method}, ${describeObjective(summary)}` }];
}
