import { LOSSES } from "@isthmus/graph";
import { describe, expect, it } from "vitest";
import { lossWords } from "./loss-words.ts";

describe("lossWords()", () => {
  it("lossWords() of classes are in nats, with errors", () => {
    const losses = lossWords({});
    expect(losses).toMatchObject({ unit: "nats", hasErrors: true, inUnit: "in nats" });
    expect(losses.amount(0.5)).toBe("0.5000 nats");
    expect(losses.axis("Mean loss")).toBe("Mean loss (nats)");
    expect(losses.inUnits("percent")).toBe("in nats, error in percent");
  });

  it.each(LOSSES.filter(({ unit }) => unit !== ""))(
    "lossWords() of $name have its unit, and errors if it has any",
    ({ name, unit, hasError }) => {
      const losses = lossWords({ lossKind: name, lossUnit: unit });
      expect(losses).toMatchObject({ unit, hasErrors: hasError, inUnit: `in ${unit}` });
      expect(losses.amount(2)).toBe(`2.000 ${unit}`);
      const errors = hasError ? ", error in percentage points" : "";
      expect(losses.inUnits("percentage points")).toBe(`in ${unit}${errors}`);
    },
  );

  it.each(["function", "several"])("lossWords() of a loss of kind %s say that it has no unit", (lossKind) => {
    const losses = lossWords({ lossKind });
    expect(losses).toMatchObject({ unit: "", hasErrors: false, inUnit: "without a unit" });
    expect([losses.amount(2), losses.axis("Loss")]).toEqual(["2.000", "Loss"]);
    expect(losses.inUnits("percent")).toBe("without a unit");
  });
});
