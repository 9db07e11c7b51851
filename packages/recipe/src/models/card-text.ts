import { FormatError } from "@isthmus/core";
import { findDeepLine } from "@isthmus/forms";
import { parseDocument, stringify } from "yaml";
import { isRecord } from "./model-parts.ts";

/** A model card: its front matter, and the text below it. */
export interface CardText {
  /** Fields of the front matter, such as `license`; empty if the card has none. */
  readonly front: Readonly<Record<string, unknown>>;
  /** Text below the front matter. */
  readonly body: string;
}

/**
 * Splits a model card into its front matter and the text below it.
 * @param source - path of the card, for messages
 * @throws FormatError if the front matter is no YAML, or no set of fields
 */
export function splitCard(text: string, source: string): CardText {
  const [whole, yaml = ""] =
    /^\uFEFF?---[ \t]*\r?\n(?:([\s\S]*?)\r?\n)?---[ \t]*(?:\r?\n|$)/.exec(text) ?? [];
  if (whole === undefined) return { front: {}, body: text };
  const fail = (why: string) =>
    new FormatError(`Cannot read the model card "${source}" as its front matter must be ${why}`, {
      format: "card",
    });
  if (findDeepLine(yaml) !== undefined) throw fail("a few levels deep: it is deeper");
  const document = parseDocument(yaml);
  const [problem] = document.errors;
  if (problem !== undefined) throw fail(`YAML: ${problem.message.split("\n")[0]}`);
  const front: unknown = document.toJS({ maxAliasCount: 100 });
  if (front !== null && !isRecord(front)) throw fail("a set of fields: it is not");
  return { front: front ?? {}, body: text.slice(whole.length) };
}

/** Joins front matter and text to a model card. */
export function joinCard({ front, body }: CardText): string {
  return `---\n${stringify(front)}---\n${body.startsWith("\n") ? "" : "\n"}${body}`;
}
