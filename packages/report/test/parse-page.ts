import { parseHTML } from "linkedom";

/** An element of a page that a test reads. */
export interface PageElement {
  readonly textContent: string;
  getAttribute(name: string): string | null;
}

/** A page that a test reads. */
export interface PageDocument {
  querySelector(selector: string): PageElement | null;
  querySelectorAll(selector: string): Iterable<PageElement>;
}

/** Parses a page. */
export function parsePage(page: string): PageDocument {
  return parseHTML(page).document as unknown as PageDocument;
}

/** Lists the elements of a page that a selector chooses. */
export function allOf(document: PageDocument, selector: string): PageElement[] {
  return [...document.querySelectorAll(selector)];
}
