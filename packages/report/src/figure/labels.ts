import { fitText, textWidth } from "@isthmus/findings";
import type { Markish } from "@observablehq/plot";
import { customMark } from "./custom-mark.ts";

/** A position in a figure, in values of its axes. */
interface Place {
  readonly x: number;
  readonly y: number;
}

/** A text beside a position in a figure. */
export interface Label {
  /** Possible positions of the text, the best first; at least one. */
  readonly places: readonly Place[];
  /** Text of the label, cut if it is wider than 60 % of the frame. */
  readonly text: string;
  /** Whether the label must be shown even over other marks. */
  readonly important?: boolean;
}

/** Obstacles and appearance of labels. */
interface LabelOptions extends Partial<LabelStyle> {
  /** Positions that labels must not cover. */
  readonly avoid?: readonly Place[];
}

/** Appearance of labels. */
interface LabelStyle {
  readonly color: string;
  /** Colour of the outline around the letters. */
  readonly halo: string;
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

interface Candidate {
  readonly box: Box;
  readonly anchor: "start" | "middle" | "end";
  readonly x: number;
  readonly y: number;
}

const LINE_HEIGHT = 14;
/** Distance between a text and the middle of its mark, in pixels. */
const OFFSET = 8;
const MARK_RADIUS = 5;
const DEFAULT_STYLE: LabelStyle = { color: "var(--isthmus-text)", halo: "var(--isthmus-background)" };

/**
 * Draws texts beside positions, so that they overlap neither each other, nor a mark, nor the end of the
 * frame; texts without such a position are left out.
 */
export function labelMark(labels: readonly Label[], options: LabelOptions = {}): Markish {
  const { color, halo, avoid = [] } = { ...DEFAULT_STYLE, ...options };
  return customMark(({ scales, frame, add }) => {
    const bounds = {
      left: frame.marginLeft,
      top: frame.marginTop,
      right: frame.width - frame.marginRight,
      bottom: frame.height - frame.marginBottom,
    };
    const toPixels = ({ x, y }: Place) => ({ x: Number(scales.x?.(x)), y: Number(scales.y?.(y)) });
    const taken = avoid.map((place) => boxAround(toPixels(place), MARK_RADIUS));
    const around = { stroke: halo, "stroke-width": 3, "stroke-linejoin": "round", "paint-order": "stroke" };
    for (const label of labels) {
      const text = fitText(label.text, (bounds.right - bounds.left) * 0.6);
      const candidates = label.places
        .flatMap((place) => candidatesFor(toPixels(place), text))
        .filter(({ box }) => isInside(box, bounds));
      const free = candidates.find(({ box }) => !taken.some((other) => overlaps(box, other)));
      const place = free ?? (label.important ? candidates[0] : undefined);
      if (!place) continue;
      taken.push(place.box);
      const { x, y, anchor } = place;
      add("text", { x, y, dy: "0.32em", "text-anchor": anchor, fill: color, ...around }, text);
    }
  });
}

function boxAround({ x, y }: Place, radius: number): Box {
  return { left: x - radius, right: x + radius, top: y - radius, bottom: y + radius };
}

/** Lists positions of a text around a place: right, left, above and below, then the corners. */
function candidatesFor({ x, y }: Place, text: string): Candidate[] {
  const width = textWidth(text);
  const sides = [
    [1, 0],
    [-1, 0],
    [0, -1],
    [0, 1],
    [1, -1],
    [-1, -1],
    [1, 1],
    [-1, 1],
  ] as const;
  return sides.map(([right, down]) => {
    const anchor = right === 0 ? "middle" : right > 0 ? "start" : "end";
    const at = { x: x + OFFSET * right, y: y + (right === 0 ? 14 : 11) * down };
    const left = anchor === "middle" ? at.x - width / 2 : anchor === "start" ? at.x : at.x - width;
    const box = { left, right: left + width, top: at.y - LINE_HEIGHT / 2, bottom: at.y + LINE_HEIGHT / 2 };
    return { box, anchor, ...at };
  });
}

function isInside(box: Box, bounds: Box): boolean {
  return (
    box.left >= bounds.left &&
    box.right <= bounds.right &&
    box.top >= bounds.top &&
    box.bottom <= bounds.bottom
  );
}

function overlaps(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}
