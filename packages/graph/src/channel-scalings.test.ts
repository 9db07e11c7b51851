import { describe, expect, it } from "vitest";
import { channelScalings, formatScaling } from "./channel-scalings.ts";

describe("channelScalings()", () => {
  it("gives one entry for all channels, or one for each, with NaN for a number that is missing", () => {
    expect(channelScalings({ mean: 0.5, std: 0.25 })).toEqual([{ mean: 0.5, std: 0.25 }]);
    expect(channelScalings({ mean: [0.1, 0.2], std: 0.5 })).toEqual([
      { mean: 0.1, std: 0.5 },
      { mean: 0.2, std: 0.5 },
    ]);
    expect(channelScalings({ mean: [0.1, 0.2], std: [1] })[1]).toEqual({ mean: 0.2, std: Number.NaN });
  });
});

describe("formatScaling()", () => {
  it.each([
    [{ mean: 0, std: 1 }, "byte / 255"],
    [{ mean: [0, 0, 0], std: 1 }, "byte / 255"],
    [{ mean: 0.1307, std: 0.3081 }, "(byte / 255 - 0.1307) / 0.3081"],
    [
      { mean: [0.1, 0.2], std: [0.5, 0.6] },
      "(byte / 255 - mean) / std by channel, mean 0.1, 0.2, std 0.5, 0.6",
    ],
  ])("says what %j makes of a byte", (scaling, words) => {
    expect(formatScaling(scaling)).toBe(words);
  });
});
