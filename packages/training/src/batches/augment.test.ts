import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createAugment } from "./augment.ts";

const shape = [2, 4, 5];
const image = () => Float32Array.from({ length: 40 }, (_, i) => i + 1);
const key = fc.record({ seed: fc.nat(), epoch: fc.nat({ max: 99 }), example: fc.nat({ max: 9999 }) });

/** The window `[down, right]` of the image with padding, mirrored or not, pixel by pixel. */
function windowOf(pixels: Float32Array, [down, right]: readonly [number, number], mirror: boolean): number[] {
  return Array.from({ length: 40 }, (_, i) => {
    const [channel, y, x] = [Math.floor(i / 20), Math.floor((i % 20) / 5) + down, i % 5];
    const at = (mirror ? 4 - x : x) + right;
    return y < 0 || y >= 4 || at < 0 || at >= 5 ? -7 : (pixels[channel * 20 + y * 5 + at] ?? 0);
  });
}

describe("createAugment()", () => {
  it("createAugment() gives a window of the padded image, mirrored or not, the same in every channel", () => {
    const windows = [-2, -1, 0, 1, 2].flatMap((down) =>
      [-2, -1, 0, 1, 2].flatMap((right) =>
        [false, true].map((mirror) => String(windowOf(image(), [down, right], mirror))),
      ),
    );
    const seen = new Set<string>();
    const augment = createAugment({ crop: 2, flip: true }, shape, [-7]);
    for (let example = 0; example < 500; example++) {
      const pixels = image();
      augment?.(pixels, { seed: 1, epoch: 0, example });
      seen.add(String(pixels));
    }
    expect([...seen].sort()).toEqual([...windows].sort());
  });

  it("createAugment() pads each channel with its own black", () => {
    const augment = createAugment({ crop: 4 }, shape, [-1, -2]);
    const padding = Array.from({ length: 50 }, (_, example) => {
      const pixels = image();
      augment?.(pixels, { seed: 0, epoch: 0, example });
      return [pixels.subarray(0, 20), pixels.subarray(20)].map((channel) => [
        ...new Set(channel.filter((x) => x < 0)),
      ]);
    });
    expect(new Set(padding.map(String))).toEqual(new Set(["-1,-2"]));
  });

  it("createAugment() depends on its key only", () => {
    const augment = createAugment({ crop: 1, flip: true }, shape, [0]);
    fc.assert(
      fc.property(key, key, (one, other) => {
        const [first, second] = [image(), image()];
        augment?.(first, one);
        augment?.(image(), other);
        augment?.(second, one);
        expect(second).toEqual(first);
      }),
    );
  });

  it("createAugment() mirrors about half of the images", () => {
    const augment = createAugment({ flip: true }, shape, [0]);
    let mirrored = 0;
    for (let example = 0; example < 1000; example++) {
      const pixels = image();
      augment?.(pixels, { seed: 0, epoch: 0, example });
      if (pixels[0] !== 1) mirrored += 1;
    }
    // Five standard deviations of 1000 fair coins are 79.
    expect(Math.abs(mirrored - 500)).toBeLessThan(79);
  });

  it("createAugment() makes nothing of no change, and refuses what is no image", () => {
    expect(createAugment({}, shape, [0])).toBeUndefined();
    expect(createAugment({ crop: 0 }, [7], [0])).toBeUndefined();
    expect(() => createAugment({ flip: true }, [7], [0])).toThrow(
      /examples as they must be images.*: they are \[7\]/,
    );
    expect(() => createAugment({ crop: -1 }, shape, [0])).toThrow(/"crop" must be a whole number of pixels/);
    expect(() => createAugment({ zoom: 1 } as never, shape, [0])).toThrow(/there is no option "zoom"/);
  });
});
