import { OutOfRangeError } from "@isthmus/core";
import svgPath from "svgpath";
import type { FigureElement } from "../figure/stand-alone.ts";
import type { ContentStream } from "./content-stream.ts";
import { type FigureStyle, styleOf } from "./figure-style.ts";
import { formatCoordinates } from "./format-coordinates.ts";
import { splitRuns } from "./text-runs.ts";

/** Output of an element, and the figure that contains it. */
interface Surroundings {
  readonly content: ContentStream;
  /** The whole figure, which contains elements that others refer to. */
  readonly svg: FigureElement;
}

/** Functions in `transform`, each with its numbers. */
const TRANSFORM = /(\w+)\(([^)]*)\)/g;
/** Elements that draw nothing themselves. */
const SILENT = new Set(["title", "desc", "defs", "clippath", "style"]);

/**
 * Draws the children of an element of a figure that stands alone as PDF operators. It supports only the
 * elements that occur in figures.
 * @throws OutOfRangeError if the figure contains an unsupported element
 */
export function drawChildren(parent: FigureElement, inherited: FigureStyle, place: Surroundings): void {
  for (const element of parent.children) drawElement(element, inherited, place);
}

function drawElement(element: FigureElement, inherited: FigureStyle, place: Surroundings): void {
  const name = element.tagName.toLowerCase();
  if (SILENT.has(name)) return;
  const style = styleOf(element, inherited);
  const { content } = place;
  const draw = () => {
    applyTransform(element, content);
    applyClip(element, place);
    if (name === "g") drawChildren(element, style, place);
    else if (name === "text") drawText(element, style, content);
    else
      content.path(
        pathOperators(pathOf(name, element)),
        name === "line" ? { ...style, fill: "none" } : style,
      );
  };
  const changes = element.getAttribute("transform") !== null || element.getAttribute("clip-path") !== null;
  if (changes) content.within(draw);
  else draw();
}

function applyTransform(element: FigureElement, content: ContentStream): void {
  for (const [, name = "", list = ""] of (element.getAttribute("transform") ?? "").matchAll(TRANSFORM)) {
    const [a = 0, b = 0] = list.split(/[\s,]+/).map(Number);
    if (name === "translate") content.transform(1, 0, 0, 1, a, b);
    else if (name === "rotate") {
      const [sine, cosine] = [Math.sin((a * Math.PI) / 180), Math.cos((a * Math.PI) / 180)];
      content.transform(cosine, sine, -sine, cosine, 0, 0);
    } else throw unknown(`a transform "${name}"`);
  }
}

/** Clips to the rectangle that an element refers to. */
function applyClip(element: FigureElement, { content, svg }: Surroundings): void {
  const name = /^url\(#(.+)\)$/.exec(element.getAttribute("clip-path") ?? "")?.[1];
  if (name === undefined) return;
  const shape = [...svg.querySelectorAll("clipPath")].find((clip) => clip.getAttribute("id") === name);
  const [rectangle] = shape?.children ?? [];
  if (rectangle?.tagName.toLowerCase() !== "rect") throw unknown(`a clip "${name}" that is no rectangle`);
  const [x, y, width, height] = numbersOf(rectangle, "x", "y", "width", "height");
  content.clip(x ?? 0, y ?? 0, width ?? 0, height ?? 0);
}

/** Returns the path data of the outline of a shape. */
function pathOf(name: string, element: FigureElement): string {
  switch (name) {
    case "path":
      return element.getAttribute("d") ?? "";
    case "line": {
      const [x1, y1, x2, y2] = numbersOf(element, "x1", "y1", "x2", "y2");
      return `M${x1},${y1}L${x2},${y2}`;
    }
    case "rect": {
      const [x, y, width, height] = numbersOf(element, "x", "y", "width", "height");
      return `M${x},${y}h${width}v${height}h${-(width ?? 0)}Z`;
    }
    case "circle": {
      const [cx = 0, cy = 0, r = 0] = numbersOf(element, "cx", "cy", "r");
      return circlePath(cx, cy, r);
    }
    default:
      throw unknown(`an element <${name}>`);
  }
}

/** Draws a text in one line; its position is that of the baseline. */
function drawText(element: FigureElement, style: FigureStyle, content: ContentStream): void {
  if ([...element.children].some(({ tagName }) => tagName.toLowerCase() === "tspan"))
    throw unknown("words in several lines");
  const runs = splitRuns(element.textContent ?? "", style.bold);
  const width = style.fontSize * runs.reduce((sum, run) => sum + run.width, 0);
  const length = (name: string) => lengthOf(element.getAttribute(name), style.fontSize);
  const shift = -width * shareBefore(style.anchor);
  content.text(runs, [length("x") + length("dx") + shift, length("y") + length("dy")], style);
}

/** Returns the share of a text that lies before its anchor; `start` is the default of SVG. */
function shareBefore(anchor: string): number {
  if (anchor === "middle") return 0.5;
  return anchor === "end" ? 1 : 0;
}

/** Parses a length in pixels or relative to the font size, and returns pixels; 0 for none. */
function lengthOf(text: string | null, fontSize: number): number {
  if (text === null) return 0;
  return Number.parseFloat(text) * (text.endsWith("em") ? fontSize : 1);
}

/** Reads coordinates by their names; a missing coordinate is 0, as SVG defines. */
function numbersOf(element: FigureElement, ...names: readonly string[]): number[] {
  return names.map((name) => Number(element.getAttribute(name) ?? 0));
}

function unknown(what: string): OutOfRangeError {
  return new OutOfRangeError(
    `Cannot write a figure as PDF as it must be made of paths, lines, rectangles, circles and single lines of words: it has ${what}`,
  );
}

/** Converts the data of an SVG path to PDF operators: arcs and quadratic curves become cubic ones. */
export function pathOperators(data: string): string {
  const operators: string[] = [];
  svgPath(data)
    .abs()
    .unshort()
    .unarc()
    .iterate((segment, _, x, y) => {
      operators.push(operatorOf(segment as readonly [string, ...number[]], x, y));
    });
  return operators.join("\n");
}

/** Converts one absolute segment that begins at `(x, y)`. */
function operatorOf([name, ...numbers]: readonly [string, ...number[]], x: number, y: number): string {
  const [a = 0, b = 0, c = 0, d = 0] = numbers;
  switch (name) {
    case "M":
      return `${formatCoordinates(a, b)} m`;
    case "L":
      return `${formatCoordinates(a, b)} l`;
    case "H":
      return `${formatCoordinates(a, y)} l`;
    case "V":
      return `${formatCoordinates(x, a)} l`;
    case "C":
      return `${formatCoordinates(...numbers)} c`;
    case "Q":
      // The control points of the equivalent cubic curve lie at two thirds of the way to the quadratic
      // control point.
      return `${formatCoordinates(x + (2 * (a - x)) / 3, y + (2 * (b - y)) / 3, c + (2 * (a - c)) / 3, d + (2 * (b - d)) / 3, c, d)} c`;
    case "Z":
    case "z":
      return "h";
    default:
      throw new OutOfRangeError(
        `Cannot write a path as its segments must be M, L, H, V, C, Q, A or Z: got "${name}"`,
      );
  }
}

/** Returns the path data of a circle, made of two arcs. */
export function circlePath(cx: number, cy: number, radius: number): string {
  const arc = (end: number) => `A${radius},${radius},0,0,1,${end},${cy}`;
  return `M${cx - radius},${cy}${arc(cx + radius)}${arc(cx - radius)}Z`;
}
