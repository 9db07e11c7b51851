import { OutOfRangeError } from "@isthmus/core";
import { describe, expect, it } from "vitest";
import { mapResult } from "../../../barrier/test/map-result.ts";
import { renderMapChart } from "./render-map-chart.ts";

describe("renderMapChart()", () => {
  it("renderMapChart() shades both tables side by side, and places networks as numbers", () => {
    expect(renderMapChart(mapResult(), { charset: "ascii" })).toMatchInlineSnapshot(`
      "As trained          Aligned
      1 s0     ########   1 s0     ....::::
      2 copy ##  ######   2 copy ..  ..::::
      5 star ####  ####   5 star ....  ....
      3 s1   ######  ##   3 s1   ::::..  ::
      4 s2   ########     4 s2   ::::..::

      loss barrier in nats:
        .. 0 to 0.001
        :: 0.001 to 0.01
        ++ 0.01 to 0.1
        %% 0.1 to 1
        ## 1 to 1.49

      aligned, in the plane by distances between weights,
      M is their mean; stress 0.27:
                                  3





                     5*
        1,2          M





                                  4"
    `);
  });

  it("renderMapChart() sets tables below each other where there is little room, and keeps to the width", () => {
    for (const width of [30, 40, 80, 120]) {
      const lines = renderMapChart(mapResult(), { width }).split("\n");
      for (const line of lines) {
        expect(line.length).toBeLessThanOrEqual(width);
        expect(line).toBe(line.trimEnd());
      }
      expect(lines.filter((line) => line.startsWith("Aligned"))).toHaveLength(width < 35 ? 1 : 0);
    }
  });

  it("renderMapChart() refuses charts that are too small", () => {
    expect(() => renderMapChart(mapResult(), { width: 29 })).toThrow(OutOfRangeError);
    expect(() => renderMapChart(mapResult(), { height: 3 })).toThrow(OutOfRangeError);
  });
});
