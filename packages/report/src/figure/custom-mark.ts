import type { RenderFunction } from "@observablehq/plot";

type RenderParameters = Parameters<RenderFunction>;

/** Tools for drawing a custom mark: scales and frame of the figure, and a function that adds elements. */
export interface Drawn {
  /** Functions from values to pixels. */
  readonly scales: RenderParameters[1];
  /** Size and margins of the figure, in pixels. */
  readonly frame: RenderParameters[3];
  /** Adds an element to the mark. */
  readonly add: (
    name: "text" | "rect" | "path",
    attributes: Readonly<Record<string, string | number>>,
    text?: string,
  ) => void;
}

const SVG = "http://www.w3.org/2000/svg";

/** Makes a mark of our own, drawn element by element. */
export function customMark(draw: (drawn: Drawn) => void): RenderFunction {
  return (...[, scales, , frame, { document }]: RenderParameters) => {
    const group = document.createElementNS(SVG, "g");
    draw({
      scales,
      frame,
      add: (name, attributes, text = "") => {
        const element = document.createElementNS(SVG, name);
        for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
        if (text !== "") element.textContent = text;
        group.append(element);
      },
    });
    return group;
  };
}
