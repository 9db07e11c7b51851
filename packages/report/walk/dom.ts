/** Attributes of an element, and what it does at events, by their names; undefined ones are left out. */
export type Attributes = Readonly<Record<string, string | number | (() => void) | undefined>>;

type Children = readonly (Node | string)[];

/** Makes an element of SVG. */
export function svg(name: string, attributes: Attributes, ...children: Children): SVGElement {
  return fill(
    document.createElementNS("http://www.w3.org/2000/svg", name) as SVGElement,
    attributes,
    children,
  );
}

/** Makes an element of HTML. */
export function html<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Attributes,
  ...children: Children
): HTMLElementTagNameMap[K] {
  return fill(document.createElement(name), attributes, children);
}

function fill<E extends Element>(element: E, attributes: Attributes, children: Children): E {
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(key, value);
    else if (value !== undefined) element.setAttribute(key, String(value));
  }
  // Texts become text nodes, so that no name of a network can be markup.
  element.append(...children);
  return element;
}

/** Sets the size of a picture, in pixels, and shows marks in it. */
export function draw(root: SVGElement, [width, height]: readonly [number, number], marks: Children): void {
  fill(root, { viewBox: `0 0 ${width} ${height}`, height }, []).replaceChildren(...marks);
}

/** Lets an element be chosen by a click, by Enter and by Space. */
export function pressable(element: SVGElement, press: () => void): SVGElement {
  fill(element, { tabindex: 0, role: "button", click: press }, []);
  element.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    press();
  });
  return element;
}

/** Keeps the direction of a name from changing the words around it. */
export const isolate = (name: string): string => `\u2068${name}\u2069`;

/** Cuts a name to a number of characters. */
export function cut(name: string, most: number): string {
  const characters = [...name];
  return isolate(characters.length > most ? `${characters.slice(0, most - 1).join("")}…` : name);
}

/** Writes a number with four digits; JSON has null for one that was not measured. */
export function digits(value: number | null | undefined): string {
  if (value === null || value === undefined) return "–";
  const isShort = value === 0 || (Math.abs(value) >= 1e-4 && Math.abs(value) < 1e6);
  return isShort ? String(Number(value.toPrecision(4))) : value.toExponential(2);
}

/** Writes a share as percent. */
export const percent = (share: number | null | undefined): string => `${digits(share && 100 * share)} %`;
