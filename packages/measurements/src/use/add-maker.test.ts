import { numberField } from "@isthmus/core";
import { defineMeasurement, defineNetworkMaker } from "@isthmus/findings";
import { afterEach, describe, expect, it } from "vitest";
import { listAddedMakers } from "../added-makers.ts";
import { addMaker } from "./add-maker.ts";
import { addMeasurement } from "./add-measurement.ts";

/** Defines a maker of a name, with a number for each name of an option. */
const small = (name: string, ...options: readonly string[]) =>
  defineNetworkMaker({
    name,
    summary: "Copy a network",
    from: "network",
    options: Object.fromEntries(options.map((option) => [option, numberField({ help: "a number" })])),
    make: async ({ network }) => network,
  });
const removals: (() => void)[] = [];
afterEach(() => {
  for (const remove of removals.splice(0)) remove();
});
const add = (...args: Parameters<typeof addMaker>) => removals.push(addMaker(...args));

describe("addMaker()", () => {
  it("keeps a maker until it is taken away", () => {
    add(small("copied"), {});
    expect(listAddedMakers().map(({ name }) => name)).toEqual(["copied"]);
    removals.splice(0)[0]?.();
    expect(listAddedMakers()).toEqual([]);
  });

  it.each([
    [{ kinds: ["copied"] }],
    [{ verbs: ["copied"] }],
    [{ makers: ["copied"] }],
    [{ options: ["copied"] }],
  ])("refuses a name that is one of %j", (taken) => {
    expect(() => add(small("copied"), taken)).toThrow(
      'Cannot add the network maker "copied" as its name must be new, for a verb, a task and a key of studies: there is "copied" already; choose another name',
    );
    expect(listAddedMakers()).toEqual([]);
  });

  it("refuses options that choose another maker, whichever is added first", () => {
    expect(() => add(small("copied", "star"), { makers: ["star"] })).toThrow(
      'as its options must not choose another maker in a study: "star" does',
    );
    expect(() => add(small("copied", "copied"), {})).toThrow('"copied" does');
    add(small("copied", "rank"), {});
    expect(() => add(small("rank"), {})).toThrow('there is "rank" already');
    expect(() => add(small("other", "copied"), {})).toThrow('"copied" does');
    add(small("other", "rank"), {});
    expect(listAddedMakers()).toHaveLength(2);
  });

  it("and measurements have names of their own", () => {
    const measurement = (kind: string, verb: string) =>
      defineMeasurement({
        ...{ kind, verb, summary: "Measure little", subject: "network" },
        run: async () => ({}),
      });
    add(small("copied"), {});
    expect(() => addMeasurement(measurement("copied", "other"))).toThrow("its kind must be new");
    expect(() => addMeasurement(measurement("other", "copied"))).toThrow("its verb must be new");
    removals.push(addMeasurement(measurement("own-kind", "own-verb")));
    for (const name of ["own-kind", "own-verb", "dropout", "curvature"])
      expect(() => add(small(name), {})).toThrow(`there is "${name}" already`);
  });
});
