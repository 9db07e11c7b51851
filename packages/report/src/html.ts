import { xmlText } from "./xml-text.ts";

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Markup that needs no escaping, as opposed to text. */
export interface Html {
  /** Text of the markup, which is inserted unchanged. */
  readonly markup: string;
}

type Value = string | number | Html | readonly Html[] | undefined;

/** Marks a text as markup, for example a drawn figure. */
export function trusted(markup: string): Html {
  return { markup };
}

/** Escapes text for element content and quoted attributes, of HTML and of XML. */
export function escapeHtml(text: string): string {
  return xmlText(text).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}

function toMarkup(value: Value): string {
  if (value === undefined) return "";
  if (typeof value === "string" || typeof value === "number") return escapeHtml(String(value));
  if ("markup" in value) return value.markup;
  return value.map((item) => item.markup).join("");
}

/**
 * Joins the parts of a template to markup, as its tag: values are escaped unless they are markup; `undefined`
 * adds nothing.
 */
export function html(strings: TemplateStringsArray, ...values: readonly Value[]): Html {
  const parts = strings.map((text, index) => text + toMarkup(values[index]));
  return { markup: parts.join("") };
}
