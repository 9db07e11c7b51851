/** A file of tests that a system cannot run. */
export interface SkippedTests {
  /** Path from the root of the repository. */
  readonly path: string;
  /** What it uses that the system lacks. */
  readonly word: string;
}

/** Lists the files of tests that cannot run on a system, each with the word that shows it. */
export function listSkipped(platform: string): readonly SkippedTests[];
