// Finds which messages docs/errors.md explains.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../packages.mjs";
import type { ErrorMessage } from "./error-messages.ts";

/** Page that explains the messages that people meet first. */
const PAGE = "docs/errors.md";

/** A message as somebody met it, and where its explanation stands. */
export interface ExplainedMessage {
  /** The message with its values. */
  readonly message: string;
  /** Link to its section, from the root of the repository. */
  readonly link: string;
}

/** Lists the messages that the page explains. */
export function listExplained(): ExplainedMessage[] {
  const sections = readFileSync(join(root, PAGE), "utf8").split(/^## /m).slice(1);
  return sections.flatMap((section) => {
    const [, message] = /^```text\n(Cannot .*)\n/m.exec(section) ?? [];
    const [heading = ""] = section.split("\n");
    return message === undefined ? [] : [{ message, link: `${PAGE}#${anchorOf(heading)}` }];
  });
}

/** Finds the words in the sources that made a message: those of which most stand in it. */
export function findWords(message: string, messages: readonly ErrorMessage[]): ErrorMessage | undefined {
  const fixed = ({ words }: ErrorMessage): number => words.replace(VALUE, "").length;
  return messages
    .filter(({ words }) => patternOf(words).test(message))
    .sort((a, b) => fixed(b) - fixed(a))[0];
}

/** A value in the words of a message, or words of which it has one or the other. */
const VALUE = /‹[^›]*›|\[[^[\]]*\]/g;

function patternOf(words: string): RegExp {
  const parts = words.split(VALUE).map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
  return new RegExp(`^${parts.join("[\\s\\S]*?")}$`);
}

/** Name that VitePress gives to the place of a heading. */
function anchorOf(heading: string): string {
  return heading
    .replaceAll("`", "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
}
