import { defineMeasurement } from "@isthmus/findings";
import { afterEach, describe, expect, it } from "vitest";
import { listAddedMeasurements, listMeasurements, loadMeasurement } from "../measurements.ts";
import { addMeasurement } from "./add-measurement.ts";

const small = (names: { readonly kind?: string; readonly verb?: string } = {}) =>
  defineMeasurement({
    verb: names.verb ?? "own-verb",
    kind: names.kind ?? "own-kind",
    summary: "Measure little",
    subject: "network",
    run: async () => ({ total: 1 }),
  });
const removals: (() => void)[] = [];
afterEach(() => {
  for (const remove of removals.splice(0)) remove();
});
const add = (...args: Parameters<typeof addMeasurement>) => removals.push(addMeasurement(...args));

describe("addMeasurement()", () => {
  it("puts a measurement behind the ones of Isthmus, until it is taken away", async () => {
    const before = listMeasurements();
    add(small());
    expect(listMeasurements().slice(0, -1)).toEqual(before);
    expect(listAddedMeasurements().map(({ kind }) => kind)).toEqual(["own-kind"]);
    expect(await loadMeasurement("own-kind")).toMatchObject({ kind: "own-kind", version: 1 });
    removals.splice(0)[0]?.();
    expect(listMeasurements()).toEqual(before);
    expect(await loadMeasurement("own-kind")).toBeUndefined();
  });

  it("refuses a kind or a verb that is there, of Isthmus, of another added one, or of something else", () => {
    expect(() => add(small({ kind: "dropout-stability" }))).toThrow(
      'Cannot add the measurement "dropout-stability" as its kind must be new: there is "dropout-stability" already',
    );
    expect(() => add(small({ verb: "dropout" }))).toThrow('its verb must be new: there is "dropout" already');
    add(small());
    expect(() => add(small({ verb: "other" }))).toThrow("its kind must be new");
    expect(() => add(small({ kind: "other" }))).toThrow("its verb must be new");
    const taken = { kinds: ["study"], verbs: ["train"] };
    expect(() => add(small({ kind: "study", verb: "other" }), taken)).toThrow("its kind must be new");
    expect(() => add(small({ kind: "other", verb: "train" }), taken)).toThrow("its verb must be new");
    expect(listAddedMeasurements()).toHaveLength(1);
  });
});
