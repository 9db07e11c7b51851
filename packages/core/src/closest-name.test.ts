import { describe, expect, test } from "vitest";
import { closestName } from "./closest-name.ts";

describe("closestName()", () => {
  test.each([
    ["modles", ["models", "slices", "modules"], "models"],
    ["wieght", ["density", "weight"], "weight"],
    ["slrp", ["linear", "slerp"], "slerp"],
    ["Weight", ["weight"], "weight"],
    ["ab", ["ba"], undefined],
    ["layer", ["density", "t"], undefined],
  ])("takes %s, of %j, for %s", (name, names, meant) => {
    expect(closestName(name, names)).toBe(meant);
  });
});
