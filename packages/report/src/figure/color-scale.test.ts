import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { colorOf, divergingScale, factorScale, sequentialScale } from "./color-scale.ts";
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

describe("sequentialScale()", () => {
  it("names the value of its one band if all values are equal, and no other", () => {
    expect(sequentialScale([3.59, Number.NaN, 3.59])).toMatchObject({ levels: [], only: 3.59 });
    expect(sequentialScale([3.59, 3.6]).only).toBeUndefined();
  });
});

describe("divergingScale()", () => {
  it("divergingScale() has the same levels on both sides, and one neutral colour in the middle", () => {
    fc.assert(
      fc.property(fc.array(signed, { minLength: 1 }), (values) => {
        const scale = divergingScale(values);
        expect(scale.colors).toHaveLength(scale.levels.length + 1);
        expect(scale.levels.toReversed().map((level) => -level)).toEqual(scale.levels);
        expect(scale.levels).toEqual([...new Set(scale.levels)].sort((a, b) => a - b));
        expect(scale.colors.filter((color) => color === colorOf(0, scale))).toHaveLength(1);
        expect(colorOf(0, scale)).toBe(scale.colors[scale.levels.length / 2]);
      }),
    );
  });

  it("divergingScale() is blue below and red above, the stronger the farther", () => {
    const scale = divergingScale([-0.3, 0.02, 1.9]);
    expect(scale.levels).toEqual([-1, -0.5, -0.2, -0.1, 0.1, 0.2, 0.5, 1]);
    const channels = scale.colors.map((color) =>
      [1, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16)),
    );
    for (const [red = 0, blue = 0] of channels.slice(0, 4)) expect(blue).toBeGreaterThan(red);
    for (const [red = 0, blue = 0] of channels.slice(5)) expect(red).toBeGreaterThan(blue);
    const light = scale.colors.map(luminanceOf);
    expect(light.slice(0, 5)).toEqual(light.slice(0, 5).toSorted((a, b) => a - b));
    expect(light.slice(4)).toEqual(light.slice(4).toSorted((a, b) => b - a));
  });

  it("divergingScale() is neutral where all is zero", () => {
    expect(divergingScale([0, 0])).toEqual({ levels: [], colors: ["#f0f0f0"] });
    expect(divergingScale([Number.NaN])).toEqual({ levels: [], colors: ["#f0f0f0"] });
    // A twentieth of it is 0.
    expect(divergingScale([5e-324])).toEqual({ levels: [], colors: ["#f0f0f0"] });
  });
});

describe("sequentialScale()", () => {
  it("sequentialScale() gives the lowest values the first colour and the highest the last", () => {
    const scale = sequentialScale([0.2, 3, Number.NaN]);
    expect(colorOf(0.2, scale)).toBe("#440154");
    expect(colorOf(3, scale)).toBe("#fde725");
  });
});

describe("textColorOn()", () => {
  it("textColorOn() can be read on every color of the scales", () => {
    const colors = [...divergingScale([-1, 1]).colors, ...sequentialScale([0.01, 10]).colors];
    for (const color of colors) {
      const [dark = 0, light = 0] = [luminanceOf(color), luminanceOf(textColorOn(color))].sort(
        (a, b) => a - b,
      );
      expect((light + 0.05) / (dark + 0.05), color).toBeGreaterThan(4.2);
    }
  });
});

describe("factorScale()", () => {
  it("factorScale() spreads its levels over all orders of magnitude but the smallest", () => {
    const { levels, colors } = factorScale([0, 2e-5, 0.003, 1.4], 4);
    expect(levels).toEqual([0.001, 0.01, 0.1, 1]);
    expect(colors).toHaveLength(5);
    expect(factorScale([0, 0])).toMatchObject({ levels: [] });
    expect(factorScale([Number.NaN, 3])).toMatchObject({ levels: [] });
  });
});
