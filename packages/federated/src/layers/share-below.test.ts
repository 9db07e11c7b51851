import { describe, expect, it } from "vitest";
import { shareBelow } from "./share-below.ts";

const groups = ["conv", "norm", "fc"].map((name) => ({ name, tensors: [`${name}.weight`, `${name}.bias`] }));
const pairOf = (...losses: number[]) => ({
  groups,
  layers: losses.map((loss, i) => ({ group: groups[i]?.name as string, barrier: { loss } })),
});

describe("shareBelow()", () => {
  it("shareBelow() keeps a layer that stands between any two clients", () => {
    const { layers } = shareBelow([pairOf(0.01, 0.5, 0.02), pairOf(0.03, 0, -0.1)], 0.02);
    const shared = Object.keys(layers).filter((name) => layers[name] === "share");
    expect(shared).toEqual(["fc.weight", "fc.bias"]);
    expect(Object.keys(layers)).toHaveLength(6);
  });

  it("shareBelow() keeps a layer whose barrier is not a number", () => {
    expect(shareBelow([pairOf(Number.NaN, 0, 0)], 1).layers["conv.weight"]).toBe("keep");
  });
});
