import { type Theme, withLiteralColors } from "./palette.ts";

/**
 * Font families: first fonts whose letters are as wide as Helvetica in a PDF, then the default of the system.
 */
const FONTS = "Helvetica, Arial, Liberation Sans, sans-serif";
/** Font size that the style sheet of a figure sets, in pixels. */
const FONT_SIZE = "12";
/** Attributes that require a style sheet, or a program that supports CSS. */
const STYLING = ["style", "class"] as const;

/**
 * The part of the interface of DOM elements that figures need; elements of browsers and of linkedom have it.
 */
export interface FigureElement {
  /** Name of the element, such as `rect`. */
  readonly tagName: string;
  /** Elements inside this one, in order. */
  readonly children: Iterable<FigureElement>;
  /** Attributes with their values as text. */
  readonly attributes: Iterable<{ readonly name: string; readonly value: string }>;
  /** First element inside this one; null if there is none. */
  readonly firstChild: FigureElement | null;
  /** Text inside the element; null for nodes without text. */
  textContent: string | null;
  /** Returns the value of an attribute; null if the element lacks it. */
  getAttribute(name: string): string | null;
  /** Sets the value of an attribute. */
  setAttribute(name: string, value: string): void;
  /** Removes an attribute. */
  removeAttribute(name: string): void;
  /** Finds the elements inside this one that match a CSS selector. */
  querySelectorAll(selector: string): Iterable<FigureElement>;
  /**
   * Finds the nearest element around this one, itself included, that matches a CSS selector; null if none
   * does.
   */
  closest(selector: string): FigureElement | null;
  /** Copies the element, with its contents if `deep`. */
  cloneNode(deep: boolean): FigureElement;
  /** Inserts another element before this one. */
  before(element: FigureElement): void;
  /** Removes the element from its document. */
  remove(): void;
  /** Document of the element, which makes further elements. */
  readonly ownerDocument: { createElementNS(namespace: string, name: string): FigureElement };
}

/**
 * Changes a figure so that every program draws it alike: colours become literal, style sheets become
 * attributes, the background becomes a rectangle, and the halo of words becomes an element of its own.
 *
 * Programs such as Inkscape, rsvg-convert and cairosvg do not support CSS variables, and some do not support
 * `paint-order`.
 */
export function standAlone(svg: FigureElement, theme: Theme): void {
  for (const style of [...svg.querySelectorAll("style")]) style.remove();
  for (const name of STYLING) svg.removeAttribute(name);
  for (const element of [svg, ...svg.querySelectorAll("*")]) {
    for (const { name, value } of [...element.attributes]) {
      const literal = withLiteralColors(value, theme);
      if (literal !== value) element.setAttribute(name, literal);
    }
  }
  svg.setAttribute("font-family", FONTS);
  svg.setAttribute("font-size", FONT_SIZE);
  for (const words of [...svg.querySelectorAll("text")]) splitHalo(words);
  addBackground(svg, theme);
}

/** Draws the halo of a text as an element below the text, if `paint-order` asks for it. */
function splitHalo(words: FigureElement): void {
  const around = words.closest('[paint-order="stroke"]');
  const color = around?.getAttribute("stroke");
  if (around == null || color == null) return;
  const halo = words.cloneNode(true);
  for (const element of [halo, words]) element.removeAttribute("paint-order");
  halo.setAttribute("aria-hidden", "true");
  halo.setAttribute("fill", color);
  words.setAttribute("stroke", "none");
  words.before(halo);
}

function addBackground(svg: FigureElement, theme: Theme): void {
  const background = svg.ownerDocument.createElementNS("http://www.w3.org/2000/svg", "rect");
  for (const name of ["width", "height"]) background.setAttribute(name, svg.getAttribute(name) ?? "100%");
  background.setAttribute("fill", withLiteralColors("var(--isthmus-background)", theme));
  svg.firstChild?.before(background);
}
