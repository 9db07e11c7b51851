import { quoteCommand } from "@isthmus/findings";

/** Writes a command of `isthmus` as a POSIX shell reads it. */
export function commandOf(...words: readonly string[]): string {
  return quoteCommand(["isthmus", ...words]);
}
