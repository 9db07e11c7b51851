import { createRandom } from "@isthmus/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { rangeOf } from "./attack-options.ts";
import { ascendInPlace, type Ball, projectInPlace, scatterInPlace } from "./perturb.ts";

/** Two channels of two numbers, scaled by channel. */
const scaling = { mean: [0.5, 0.25], std: [0.25, 0.5] };
const channelOf = (i: number) => (i < 2 ? 0 : 1);
const scaled = (pixels: readonly number[]) =>
  Float32Array.from(pixels, (x, i) => (x - [0.5, 0.25][channelOf(i)]!) / [0.25, 0.5][channelOf(i)]!);
const pixelsOf = (example: Float32Array) =>
  [...example].map((x, i) => x * [0.25, 0.5][channelOf(i)]! + [0.5, 0.25][channelOf(i)]!);

const fed = rangeOf({ scaling });
const plain = rangeOf({ scaling: { mean: 0, std: 1 } });
const four = (least: number) =>
  fc.array(fc.double({ min: least, max: 1, noNaN: true }), { minLength: 4, maxLength: 4 });
/** Slopes that f32 can hold: a smaller one may become 0 when it is scaled, and then has no sign. */
const LEAST_SLOPE = 1e-30;
const attacks = fc.record({
  norm: fc.constantFrom("linf" as const, "l2" as const),
  epsilon: fc.double({ min: 0.01, max: 1, noNaN: true }),
  pixels: four(0),
  slopes: four(-1).map((slopes) => slopes.map((slope) => (Math.abs(slope) < LEAST_SLOPE ? 0 : slope))),
});

describe("attacks on examples that are scaled by channel", () => {
  it("move pixels as attacks on the pixels themselves do", () => {
    fc.assert(
      fc.property(attacks, ({ norm, epsilon, pixels, slopes }) => {
        const ballOf = ({ unit, channels }: typeof fed): Ball => ({ norm, radius: epsilon * unit, channels });
        // A slope in the numbers that are fed is one in pixels times their deviation.
        const slopesFed = Float32Array.from(slopes, (slope, i) => slope * scaling.std[channelOf(i)]!);
        const ours = scaled(pixels);
        ascendInPlace(ours, slopesFed, { norm, size: 2 * epsilon * fed.unit, channels: fed.channels });
        projectInPlace(ours, scaled(pixels), ballOf(fed));
        const theirs = Float32Array.from(pixels);
        ascendInPlace(theirs, Float32Array.from(slopes), {
          norm,
          size: 2 * epsilon,
          channels: plain.channels,
        });
        projectInPlace(theirs, Float32Array.from(pixels), ballOf(plain));
        pixelsOf(ours).forEach((pixel, i) => {
          expect(pixel).toBeCloseTo(theirs[i]!, 4);
        });
      }),
    );
  });

  it("begin at a random place within the distance in pixels", () => {
    fc.assert(
      fc.property(attacks, fc.nat(99), ({ norm, epsilon, pixels }, seed) => {
        const ours = scaled(pixels);
        const ball: Ball = { norm, radius: epsilon * fed.unit, channels: fed.channels };
        scatterInPlace(ours, ball, createRandom(seed, "start"));
        const theirs = Float32Array.from(pixels);
        scatterInPlace(
          theirs,
          { norm, radius: epsilon, channels: plain.channels },
          createRandom(seed, "start"),
        );
        pixelsOf(ours).forEach((pixel, i) => {
          expect(pixel).toBeCloseTo(theirs[i]!, 4);
        });
      }),
    );
  });
});
