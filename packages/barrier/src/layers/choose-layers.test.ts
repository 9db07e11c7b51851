import { describe, expect, it } from "vitest";
import { chooseLayers } from "./choose-layers.ts";

describe("chooseLayers()", () => {
  it("takes layers by what averaging them costs in A, and none whose cost is not a number", () => {
    const layers = [0.1, -0.2, Number.NaN, 0.05].map((loss, index) => ({
      group: `l${index}`,
      a: { wholeEndpoints: { loss } },
    }));
    expect(chooseLayers({ layers }, 0.05)).toEqual(["l1", "l3"]);
    expect(chooseLayers({ layers }, 1)).toEqual(["l0", "l1", "l3"]);
    expect(chooseLayers({ layers }, -1)).toEqual([]);
  });
});
