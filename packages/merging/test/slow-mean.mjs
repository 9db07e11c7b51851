// A method of the user's own, as a file: the mean of two networks in f32, which takes its time over each range.
import { setTimeout } from "node:timers/promises";

export const slowMean = {
  name: "slow_mean",
  description: "Takes the mean of two networks, slowly.",
  source: "a test, 2026",
  parameters: {},
  networks: { least: 2, most: 2, base: "none" },
  async blendInto({ parts: [a, b] }, out) {
    await setTimeout(5);
    for (let i = 0; i < out.data.length; i++) out.data[i] = (a.data[i] + b.data[i]) / 2;
  },
};
