import { OutOfRangeError } from "@isthmus/core";
import svgPath from "svgpath";
import { formatCoordinates } from "./format-coordinates.ts";

/** Writes the data of an SVG path as PDF operators: arcs and quadratic curves become cubic ones. */
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

/** Writes one absolute segment that begins at `(x, y)`. */
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
      // The cubic curve of the same shape has its control points two thirds of the way there.
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

/** Writes a circle as the data of a path of two arcs. */
export function circlePath(cx: number, cy: number, radius: number): string {
  const arc = (end: number) => `A${radius},${radius},0,0,1,${end},${cy}`;
  return `M${cx - radius},${cy}${arc(cx + radius)}${arc(cx - radius)}Z`;
}
