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

  it("resolveStrategy() of privacy is the private mean, and refuses what breaks the account", () => {
    const privacy = { clip: 1, noise: 1, clients: 5, delta: 0.01, sampling: { kind: "all" } } as const;
    for (const rule of [undefined, "private-mean"]) {
      const resolved = resolveStrategy(graph, network, { privacy, ...(rule && { rule }) });
      expect(resolved.rule?.of.name).toBe("private-mean");
      expect(resolved.rule?.parameters).toEqual({ clip: 1, clients: 5 });
      expect(resolved.privacy).toEqual(privacy);
    }
    const refused = (part: object) => () => resolveStrategy(graph, network, { privacy, ...part });
    expect(refused({ rule: "fedavg" })).toThrow(/leave out the rule, for the mean of clipped updates/);
    expect(refused({ rule: { name: "krum", f: 1 } })).toThrow(/rule "krum" chooses by distances/);
    expect(refused({ before: ["nnm"] })).toThrow(/the step "nnm" before the rule/);
    for (const align of ["each other", "each-other"])
      expect(refused({ align })).toThrow(/align them to "global"/);
    expect(refused({ clip: 3 })).toThrow(/a second bound of 3/);
    expect(refused({ share: { layers: { [names[0] as string]: "average" } } })).toThrow(
      /is averaged without/,
    );
    expect(refused({ privacy: { ...privacy, noise: -1 } })).toThrow(/"noiseMultiplier" must be/);
    expect(() => resolveStrategy(graph, network, { rule: "private-mean" })).toThrow(/set "privacy"/);
  });

  it("resolveStrategy() reads names with parameters from texts, as the command line has them", () => {
    const { rule, server } = resolveStrategy(graph, network, {
      rule: "krum:f=2",
      server: "adam:learningRate=0.1",
    });
    expect([rule?.of.name, rule?.parameters]).toEqual(["krum", { f: 2 }]);
    expect(server?.parameters).toEqual({ learningRate: 0.1 });
    expect(() => resolveStrategy(graph, network, { rule: "krum:2" })).toThrow(/name:key=value/);
  });

  it("resolveStrategy() says which name was meant", () => {
    expect(() => resolveStrategy(graph, network, { rule: "krumm" })).toThrow(
      /"krumm" as there is no aggregation rule of that name: did you mean "krum"/,
    );
    expect(() => resolveStrategy(graph, network, { server: "adma" })).toThrow(/did you mean "adam"/);
  });
});
