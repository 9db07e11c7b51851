import { AGGREGATION_RULES, PRE_AGGREGATIONS, SERVER_STEPS, STRATEGIES } from "@isthmus/federated";
import { describe, expect, it } from "vitest";
import { formatStrategies } from "./format-strategies.ts";

describe("formatStrategies()", () => {
  it("formatStrategies() has a line for everything in the tables, in their order", () => {
    const names = formatStrategies()
      .split("\n")
      .flatMap((line) => /^ {2}(\S+) {2,}\S/.exec(line)?.[1] ?? []);
    expect(names).toEqual(
      [AGGREGATION_RULES, PRE_AGGREGATIONS, SERVER_STEPS, STRATEGIES].flatMap((table) => [...table.keys()]),
    );
  });

  it("formatStrategies() tells strategies by their rule and optimiser", () => {
    expect(formatStrategies()).toMatch(
      /\n {2}fedadam +The mean by examples, .* Rule fedavg, server adam\.\n/,
    );
  });
});
