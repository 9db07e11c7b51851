import { groupLayers } from "@isthmus/barrier";
import type { Graph } from "@isthmus/graph";
import { describe, expect, test } from "vitest";
import { GraphBuilder } from "../../../test/helpers/graph-builder.ts";
import { batchNorm, smallCnn } from "../../../test/helpers/small-networks.ts";

const namesOf = (graph: Graph, patterns?: Parameters<typeof groupLayers>[1]) =>
  groupLayers(graph, patterns).map(({ name }) => name);

describe("groupLayers()", () => {
  test("groups by name, in the order of use, statistics with their norm", () => {
    const groups = groupLayers(smallCnn());
    expect(groups.map(({ name }) => name)).toEqual(["c0", "n0", "c1", "n1", "l0", "l1"]);
    expect(groups[1]?.tensors).toEqual(["n0.scale", "n0.bias", "n0.mean", "n0.var"]);
  });

  test("goes by use, not by the order of the file", () => {
    const graph = smallCnn();
    const weights = new Map([...graph.weights].reverse());
    expect(namesOf({ ...graph, weights })).toEqual(namesOf(graph));
  });

  test("takes a weight for used where it meets the data, not where it is prepared", () => {
    const b = new GraphBuilder();
    // Both are transposed at the top of the graph, the last first.
    const last = b.transpose(b.weight("last.weight", [3, 6]), 1, 0);
    const first = b.transpose(b.weight("first.weight", [6, 6]), 1, 0);
    const hidden = b.op("MatMul", [b.input("x", [6]), first]);
    expect(namesOf(b.output(b.op("MatMul", [hidden, last])).build())).toEqual(["first", "last"]);
  });

  test("keeps statistics of another name with their norm, and weights that are not used at the end", () => {
    const b = new GraphBuilder();
    const names = ["norm.scale", "norm.bias", "moving_mean", "moving_variance"];
    const parts = names.map((name, i) => b.weight(name, [2], i < 2 ? "parameter" : "statistic"));
    b.weight("unused", [1]);
    const x = b.op("BatchNormalization", [b.input("x", [2, 4, 4]), ...parts], { epsilon: 1e-5 });
    const graph = b.output(batchNorm(b, b.conv(x, "c", [2, 2]), "after", 2)).build();
    expect(groupLayers(graph).map(({ name, tensors }) => [name, tensors.length])).toEqual([
      ["norm", 4],
      ["c", 2],
      ["after", 4],
      ["unused", 1],
    ]);
  });

  test("takes groups of one's own, the first that fits, and leaves the rest to layers", () => {
    const groups = [
      { name: "stem", patterns: ["?0"] },
      { name: "biases", patterns: ["*.bias"] },
    ];
    expect(namesOf(smallCnn(), groups)).toEqual(["stem", "c1", "biases", "n1", "l1"]);
  });

  test("says what a pattern should have fitted", () => {
    const wrong = [{ name: "x", patterns: ["conv*"] }];
    expect(() => groupLayers(smallCnn(), wrong)).toThrow(
      'Cannot group layers of graph "cnn" as every pattern must fit a layer: "conv*" fits none of c0, n0, c1, n1, l0, l1',
    );
    const twice = [
      { name: "x", patterns: ["c0"] },
      { name: "x", patterns: ["c1"] },
    ];
    expect(() => groupLayers(smallCnn(), twice)).toThrow(/a name of its own: two are "x"/);
    expect(() => groupLayers(smallCnn(), [{ name: "all", patterns: ["c0"] }])).toThrow(RangeError);
    const b = new GraphBuilder();
    expect(() => groupLayers(b.output(b.op("Relu", [b.input("x", [2])])).build())).toThrow(
      /must have weights/,
    );
  });
});
