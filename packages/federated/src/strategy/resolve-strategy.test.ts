import { parseNetwork } from "@isthmus/zoo";
import { describe, expect, it } from "vitest";
import { resolveStrategy } from "./resolve-strategy.ts";

const { graph, initialize } = parseNetwork("mlp:8", { exampleShape: [4], classes: 3 });
const network = initialize(0);
const names = [...network.tensors.keys()];

describe("resolveStrategy()", () => {
  it("resolveStrategy() is FedAvg of all layers without a description", () => {
    const { rule, server, preAggregations, treatments, clip } = resolveStrategy(graph, network);
    expect([rule?.of.name, server?.of.name, preAggregations, clip]).toEqual([
      "fedavg",
      "average",
      [],
      undefined,
    ]);
    expect(names.map((name) => treatments?.get(name))).toEqual(names.map(() => "share"));
  });

  it("resolveStrategy() takes names with values of parameters, and patterns of layers", () => {
    const resolved = resolveStrategy(graph, network, {
      ...{ rule: { name: "krum", f: 1 }, before: ["nnm"], server: { name: "adam" }, clip: 2 },
      share: { layers: { [names[0] as string]: "keep" } },
    });
    expect(resolved.rule?.of.name).toBe("krum");
    expect(resolved.rule?.parameters).toEqual({ f: 1 });
    expect(resolved.preAggregations?.map(({ of }) => of.name)).toEqual(["nnm"]);
    expect(resolved.clip).toBe(2);
    expect(resolved.treatments?.get(names[0] as string)).toBe("keep");
  });

  it("resolveStrategy() says which name was meant", () => {
    expect(() => resolveStrategy(graph, network, { rule: "krumm" })).toThrow(
      /none of the name "krumm": did you mean "krum"/,
    );
    expect(() => resolveStrategy(graph, network, { server: "adma" })).toThrow(/did you mean "adam"/);
  });
});
