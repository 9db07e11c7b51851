import { readFileSync } from "node:fs";
import type { CompletedVerb } from "./completed-verb.ts";

/** Names of the shells that are completed. */
export const SHELLS = ["bash", "zsh", "fish"] as const;

/** A shell that is completed. */
export type Shell = (typeof SHELLS)[number];

/** Returns the script for a shell that comes with this program, with a text for each line `# @name` in it. */
export function fillTemplate(shell: Shell, texts: Readonly<Record<string, string>>): string {
  const template = readFileSync(new URL(`../../completions/isthmus.${shell}`, import.meta.url), "utf8");
  return template.replace(/^ *# @([a-z]+)$/gm, (line, name) => texts[name] ?? line);
}

/** Quotes a text for any of the shells, as one word. */
export function quoteShell(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Returns the name of a verb without the verb above it: `status` of `queue status`. */
export function lastWord({ words }: CompletedVerb): string {
  return words.slice(words.lastIndexOf(" ") + 1);
}
