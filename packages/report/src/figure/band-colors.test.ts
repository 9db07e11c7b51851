import { divergingScale, sequentialScale } from "@isthmus/findings";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bandColors, painter } from "./band-colors.ts";
import { textColorOn } from "./ramp.ts";

const signed = fc.double({ min: -1e6, max: 1e6, noNaN: true });

/** Relative luminance as WCAG 2 defines it. */
function luminanceOf(color: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const share = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

describe("bandColors()", () => {
  it("bandColors() has one more colour than levels, and one neutral in the middle of a scale with signs", () => {
    fc.assert(
      fc.property(fc.array(signed, { minLength: 1 }), (values) => {
        const scale = divergingScale(values);
        const colors = bandColors(scale);
        expect(colors).toHaveLength(scale.levels.length + 1);
        expect(colors.filter((color) => color === painter(scale)(0))).toHaveLength(1);
        expect(painter(scale)(0)).toBe(colors[scale.levels.length / 2]);
      }),
    );
    const sequential = sequentialScale([0.001, 0.01, 0.1, 1], 4);
    expect(bandColors(sequential)).toHaveLength(sequential.levels.length + 1);
  });

  it("bandColors() of values with signs is blue below and red above, the stronger the farther", () => {
    const colors = bandColors(divergingScale([-0.3, 0.02, 1.9]));
    const channels = colors.map((color) => [1, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16)));
    for (const [red = 0, blue = 0] of channels.slice(0, 4)) expect(blue).toBeGreaterThan(red);
    for (const [red = 0, blue = 0] of channels.slice(5)) expect(red).toBeGreaterThan(blue);
    const light = colors.map(luminanceOf);
    expect(light.slice(0, 5)).toEqual(light.slice(0, 5).toSorted((a, b) => a - b));
    expect(light.slice(4)).toEqual(light.slice(4).toSorted((a, b) => b - a));
  });

  it("bandColors() of zeros with signs is neutral", () => {
    expect(bandColors(divergingScale([0, 0]))).toEqual(["#f0f0f0"]);
  });
});

describe("painter()", () => {
  it("painter() gives the lowest values the first colour and the highest the last", () => {
    const colorOf = painter(sequentialScale([0.2, 3, Number.NaN]));
    expect(colorOf(0.2)).toBe("#440154");
    expect(colorOf(3)).toBe("#fde725");
  });
});

describe("textColorOn()", () => {
  it("textColorOn() can be read on every color of the scales", () => {
    const colors = [divergingScale([-1, 1]), sequentialScale([0.01, 10])].flatMap(bandColors);
    for (const color of colors) {
      const [dark = 0, light = 0] = [luminanceOf(color), luminanceOf(textColorOn(color))].sort(
        (a, b) => a - b,
      );
      expect((light + 0.05) / (dark + 0.05), color).toBeGreaterThan(4.2);
    }
  });
});
