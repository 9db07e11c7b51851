/** A number that README or docs/ state, or several of one command. */
export interface Reproduction {
  readonly name: string;
  readonly claim: string;
  /** Pages that state it, each with words that it must contain. */
  readonly pages: Readonly<Record<string, readonly string[]>>;
  readonly command: string;
  readonly seed: string;
  /** Time that the command takes on two cores that do nothing else. */
  readonly time?: string;
  readonly numbers: readonly { readonly path: string; readonly value: number; readonly within: number }[];
  /** Whether a test runs it each time. */
  readonly isQuick?: boolean;
  /** Test that holds it as well. */
  readonly test?: string;
}

/** A number as stated and as a command gave it. */
export interface ComparedNumber {
  readonly path: string;
  readonly value: number;
  readonly within: number;
  readonly found: number | undefined;
  readonly holds: boolean;
}

export const reproductions: readonly Reproduction[];
export function wordsOf(reproduction: Reproduction): string[];
export function compareNumbers(reproduction: Reproduction, result: unknown): ComparedNumber[];
export function formatReproductions(): string;
