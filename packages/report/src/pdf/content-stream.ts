import { channelsOf, type FigureStyle } from "./figure-style.ts";
import { formatCoordinates } from "./format-coordinates.ts";
import type { PdfFont, TextRun } from "./text-runs.ts";

/** Opacities of fills and strokes, which PDF keeps in a named state. */
export interface OpacityState {
  /** Name by which operators refer to the state. */
  readonly name: string;
  /** Opacity of fills, in `[0, 1]`. */
  readonly fill: number;
  /** Opacity of strokes, in `[0, 1]`. */
  readonly stroke: number;
}

/** Codes of line caps and line joins. */
const CAPS: Readonly<Record<string, number>> = { butt: 0, round: 1, square: 2 };
const JOINS: Readonly<Record<string, number>> = { miter: 0, round: 1, bevel: 2 };
/** Codes of text rendering modes. */
const TEXT_MODES = { fill: 0, stroke: 1, both: 2 } as const;

/** Operators that draw a page, with the fonts and opacities that they refer to. */
export class ContentStream {
  readonly #operators: string[] = [];
  readonly #fonts = new Set<PdfFont>();
  readonly #opacities = new Map<string, OpacityState>();

  /** Fonts in the order of their first use. */
  get fonts(): readonly PdfFont[] {
    return [...this.#fonts];
  }

  get opacities(): readonly OpacityState[] {
    return [...this.#opacities.values()];
  }

  toString(): string {
    return `${this.#operators.join("\n")}\n`;
  }

  /** Runs `draw` and then restores the state of the page. */
  within(draw: () => void): void {
    this.#operators.push("q");
    draw();
    this.#operators.push("Q");
  }

  transform(...matrix: readonly [number, number, number, number, number, number]): void {
    this.#operators.push(`${formatCoordinates(...matrix)} cm`);
  }

  /** Limits subsequent drawing to a rectangle. */
  clip(x: number, y: number, width: number, height: number): void {
    this.#operators.push(`${formatCoordinates(x, y, width, height)} re W n`);
  }

  /** Fills and strokes a path, given as operators, in a style. */
  path(operators: string, style: FigureStyle): void {
    const [filled, stroked] = [style.fill !== "none", style.stroke !== "none"];
    if (!(filled || stroked)) return;
    this.within(() => {
      this.#apply(style);
      this.#operators.push(operators, filled ? (stroked ? "B" : "f") : "S");
    });
  }

  /** Writes runs of letters of which the first begins at `(x, y)` on a page whose y-axis points down. */
  text(runs: readonly TextRun[], [x, y]: readonly [x: number, y: number], style: FigureStyle): void {
    const [filled, stroked] = [style.fill !== "none", style.stroke !== "none"];
    if (!(filled || stroked)) return;
    const mode = filled ? (stroked ? TEXT_MODES.both : TEXT_MODES.fill) : TEXT_MODES.stroke;
    this.within(() => {
      this.#apply(style);
      this.#operators.push("BT", `${mode} Tr`, `1 0 0 -1 ${formatCoordinates(x, y)} Tm`);
      for (const { font, hex } of runs) {
        this.#fonts.add(font);
        this.#operators.push(`/${font} ${formatCoordinates(style.fontSize)} Tf`, `<${hex}> Tj`);
      }
      this.#operators.push("ET");
    });
  }

  #apply(style: FigureStyle): void {
    const { fill, stroke, dashes, lineCap, lineJoin, miterLimit, strokeWidth } = style;
    if (fill !== "none") this.#operators.push(`${formatCoordinates(...channelsOf(fill))} rg`);
    if (stroke !== "none") {
      this.#operators.push(
        `${formatCoordinates(...channelsOf(stroke))} RG`,
        `${formatCoordinates(strokeWidth)} w`,
        `${CAPS[lineCap] ?? CAPS["butt"]} J`,
        `${JOINS[lineJoin] ?? JOINS["miter"]} j`,
        `${formatCoordinates(miterLimit)} M`,
      );
      if (dashes.length > 0) this.#operators.push(`[${formatCoordinates(...dashes)}] 0 d`);
    }
    this.#setOpacity(style.fillOpacity * style.opacity, style.strokeOpacity * style.opacity);
  }

  #setOpacity(fill: number, stroke: number): void {
    if (fill === 1 && stroke === 1) return;
    const key = formatCoordinates(fill, stroke);
    const state = this.#opacities.get(key) ?? { name: `O${this.#opacities.size + 1}`, fill, stroke };
    this.#opacities.set(key, state);
    this.#operators.push(`/${state.name} gs`);
  }
}
