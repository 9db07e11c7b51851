import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { barrierValues, chordBarrier } from "./barrier-values.ts";

const unit = fc.double({ min: 0, max: 10, noNaN: true });

/** Places from 0 to 1 and a value at each. */
const curve = fc
  .array(fc.tuple(fc.double({ min: 0.001, max: 0.999, noNaN: true }), unit), { maxLength: 8 })
  .chain((inner) =>
    fc.tuple(unit, unit).map(([first, last]) => {
      const points = [[0, first], ...inner.sort(([s], [t]) => s - t), [1, last]] as [number, number][];
      return { t: points.map(([place]) => place), values: points.map(([, value]) => value) };
    }),
  );

describe("barrierValues()", () => {
  it("gives every definition of a hand-made curve", () => {
    const values = barrierValues([0, 0.25, 0.5, 0.75, 1], [1, 2, 5, 6, 3]);
    expect(values).toEqual({ chord: 3.5, meanOfEndpoints: 4, maxEndpoint: 3, midpoint: 3, at: 0.75 });
  });

  it("tells the definitions apart where the ends differ", () => {
    // Rises steadily: no barrier by the chord, but above the mean of the ends.
    expect(barrierValues([0, 0.5, 1], [0, 2, 4])).toEqual({
      chord: 0,
      meanOfEndpoints: 2,
      maxEndpoint: 0,
      midpoint: 0,
      at: 0,
    });
  });

  it("is 0 along a valley, except for what lies below the mean at the middle", () => {
    expect(barrierValues([0, 0.5, 1], [3, 1, 3])).toEqual({
      chord: 0,
      meanOfEndpoints: 0,
      maxEndpoint: 0,
      midpoint: -2,
      at: 0,
    });
  });

  it("takes the middle from its neighbours where the grid has no point there", () => {
    expect(barrierValues([0, 0.4, 0.8, 1], [0, 4, 8, 0]).midpoint).toBeCloseTo(5, 14);
    expect(barrierValues([0, 1], [1, 5]).midpoint).toBe(0);
  });

  it("takes the first of equal maxima", () => {
    expect(barrierValues([0, 0.3, 0.6, 1], [0, 1, 1, 0]).at).toBe(0.3);
  });

  it("is NaN if the curve is, anywhere", () => {
    for (const bad of [0, 1, 2]) {
      const values = [0, 1, 2].map((index) => (index === bad ? Number.NaN : 1));
      const { chord, meanOfEndpoints, maxEndpoint } = barrierValues([0, 0.5, 1], values);
      expect([chord, meanOfEndpoints, maxEndpoint]).toEqual([NaN, NaN, NaN]);
    }
    expect(barrierValues([0, 0.25, 0.5, 1], [0, Number.NaN, 9, 0])).toMatchObject({ chord: NaN, at: 0.25 });
  });

  it("is infinite if a place between is", () => {
    const { chord, meanOfEndpoints, midpoint } = barrierValues([0, 0.5, 1], [1, Number.POSITIVE_INFINITY, 1]);
    expect([chord, meanOfEndpoints, midpoint]).toEqual([Infinity, Infinity, Infinity]);
  });

  it("is exactly 0 for a curve that does not move", () => {
    fc.assert(
      fc.property(curve, unit, ({ t }, value) => {
        const flat = t.map(() => value);
        expect(barrierValues(t, flat)).toMatchObject({ chord: 0, meanOfEndpoints: 0, maxEndpoint: 0, at: 0 });
      }),
    );
  });

  it("orders the definitions: chord >= 0, mean of ends >= maximum of ends, chord >= midpoint", () => {
    fc.assert(
      fc.property(curve, ({ t, values }) => {
        const { chord, meanOfEndpoints, maxEndpoint, midpoint, at } = barrierValues(t, values);
        expect(chord).toBeGreaterThanOrEqual(0);
        expect(meanOfEndpoints).toBeGreaterThanOrEqual(maxEndpoint);
        expect(maxEndpoint).toBeGreaterThanOrEqual(0);
        // The middle may be interpolated, and a rise is convex in its ends: rounding of values up to 10.
        expect(chord).toBeGreaterThanOrEqual(midpoint - 1e-13);
        expect(t).toContain(at);
      }),
    );
  });

  it("does not change when a line is added, by the chord", () => {
    fc.assert(
      fc.property(curve, unit, unit, ({ t, values }, offset, slope) => {
        const tilted = values.map((value, i) => value + offset + slope * t[i]!);
        expect(chordBarrier(t, tilted).chord).toBeCloseTo(chordBarrier(t, values).chord, 12);
      }),
    );
  });

  it("is the same from the other end", () => {
    fc.assert(
      fc.property(curve, ({ t, values }) => {
        const back = barrierValues(t.map((place) => 1 - place).reverse(), [...values].reverse());
        const { chord, meanOfEndpoints, maxEndpoint, midpoint } = barrierValues(t, values);
        expect(back.chord).toBeCloseTo(chord, 12);
        expect(back.meanOfEndpoints).toBe(meanOfEndpoints);
        expect(back.maxEndpoint).toBe(maxEndpoint);
        expect(back.midpoint).toBeCloseTo(midpoint, 12);
      }),
    );
  });
});
