import { describe, expect, it } from "vitest";
import { STRATEGIES } from "../strategies.ts";
import { namedStrategy } from "./named-strategy.ts";
import { STRATEGY_DEFAULTS } from "./strategy-description.ts";

describe("namedStrategy()", () => {
  it("is the rule and the optimiser of every name whose clients train plainly", () => {
    for (const [name, { rule, server, client }] of STRATEGIES) {
      if (client !== undefined) continue;
      expect({ ...STRATEGY_DEFAULTS, ...namedStrategy(name) }).toEqual({ rule, server, before: [] });
    }
    expect(namedStrategy("fedavg")).toEqual({});
    expect(namedStrategy("fedadam")).toEqual({ server: "adam" });
    expect(namedStrategy("fedmedian")).toEqual({ rule: "coordinate-median" });
  });

  it("refuses unknown names, parameters, and names that the server does half of", () => {
    expect(() => namedStrategy("fedadm")).toThrow(/no strategy of that name: did you mean "fedadam"/);
    expect(() => namedStrategy("krum:f=1")).toThrow(/has no parameters: write those of its rule "krum"/);
    expect(() => namedStrategy("fedprox")).toThrow(/each client adds the proximal term to the loss: write/);
  });
});
