import { parseHTML } from "linkedom";
import { describe, expect, it } from "vitest";
import type { FigureElement } from "../figure/stand-alone.ts";
import { writePdf } from "./write-pdf.ts";

const svgOf = (inner: string): FigureElement =>
  parseHTML(
    `<svg width="100" height="40" fill="#000000" font-size="10">${inner}</svg>`,
  ).document.querySelector("svg") as unknown as FigureElement;

/** Operators of the page, after the one that turns it upside down. */
function pageOf(inner: string): string[] {
  const text = Buffer.from(writePdf(svgOf(inner), { title: "", words: "" })).toString("latin1");
  const [, stream = ""] = /stream\n([\s\S]*?)\nendstream/.exec(text) ?? [];
  const [first, ...others] = stream.split("\n");
  expect(first).toBe("0.75 0 0 -0.75 0 30 cm");
  return others;
}

describe("writePdf()", () => {
  it("writePdf() fills and strokes by inherited attributes", () => {
    expect(pageOf('<g fill="#ff0000"><rect x="1" y="2" width="3" height="4"/></g>')).toEqual(
      ["q", "1 0 0 rg", "1 2 m\n4 2 l\n4 6 l\n1 6 l\nh".split("\n"), "f", "Q"].flat(),
    );
    const line = pageOf(
      '<line x1="0" y1="1" x2="2" y2="3" stroke="#0000ff" stroke-width="2" stroke-dasharray="2 4" stroke-linecap="round"/>',
    );
    expect(line).toEqual([
      "q",
      "0 0 1 RG",
      "2 w",
      "1 J",
      "0 j",
      "4 M",
      "[2 4] 0 d",
      "0 1 m",
      "2 3 l",
      "S",
      "Q",
    ]);
    expect(pageOf('<path d="M0,0L1,1" fill="none"/>')).toEqual([]);
  });

  it("writePdf() places words by their anchor, in a line", () => {
    const place = (anchor: string) => pageOf(`<text x="50" y="1em" text-anchor="${anchor}">AA</text>`)[4];
    // Two letters of 667 thousandths of 10 pixels.
    expect(place("start")).toBe("1 0 0 -1 50 10 Tm");
    expect(place("middle")).toBe("1 0 0 -1 43.33 10 Tm");
    expect(place("end")).toBe("1 0 0 -1 36.66 10 Tm");
  });

  it("writePdf() moves, turns, clips, and names opacities", () => {
    const page = pageOf(
      '<clipPath id="c"><rect x="1" y="2" width="3" height="4"/></clipPath><g transform="translate(5,6) rotate(90)" clip-path="url(#c)"><circle r="1" fill-opacity="0.5"/></g>',
    );
    expect(page.slice(0, 4)).toEqual(["q", "1 0 0 1 5 6 cm", "0 1 -1 0 0 0 cm", "1 2 3 4 re W n"]);
    expect(page).toContain("/O1 gs");
    const file = Buffer.from(writePdf(svgOf('<circle r="1" fill-opacity="0.5"/>'), { title: "", words: "" }));
    expect(file.toString("latin1")).toContain("/ExtGState << /O1 << /ca 0.5 /CA 1 >> >>");
  });

  it("writePdf() refuses what figures are not made of", () => {
    for (const [inner, what] of [
      ["<ellipse/>", "an element <ellipse>"],
      ['<g transform="skewX(1)"/>', 'a transform "skewX"'],
      ["<text><tspan>a</tspan></text>", "words in several lines"],
      ['<rect width="1" height="1" fill="red"/>', 'its colours must be #rrggbb: got "red"'],
    ] as const)
      expect(() => pageOf(inner)).toThrow(what);
  });
});
