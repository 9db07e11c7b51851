import { describe, expect, test } from "vitest";
import { coordinate, type Field, type Labelled } from "../labels/field.ts";
import { LABEL_FLAGS, LabelStore } from "../labels/label-store.ts";
import { collapseOrdered, convolution, convTranspose, fixAxes } from "./convolution.ts";
import type { RuleContext } from "./rule.ts";

const free = (axes: readonly number[], data: Int32Array): Field => ({ frozen: false, axes, data });

/** Labels of the axes of a convolution of 3 channels to 4, with a kernel of 2 on 5 places, made in this order. */
function createAxes(store: LabelStore) {
  return {
    batch: coordinate(0, 2),
    channels: store.create(3),
    places: store.create(5),
    outputs: store.create(4, "weight"),
    inputs: store.create(3, "weight"),
    kernel: store.create(2, "weight"),
    bias: store.create(4, "bias"),
  };
}

interface Given {
  readonly store: LabelStore;
  readonly op: string;
  readonly inputs: RuleContext["inputs"];
}

const contextOf = ({ store, op, inputs }: Given): RuleContext => ({
  node: {
    name: "step",
    domain: "",
    op,
    attributes: new Map(),
    inputs: inputs.map((_, i) => `input ${i}`),
    outputs: ["y"],
  },
  store,
  opset: 18,
  inputs,
  outputs: [[2, 4, 6]],
  isActivation: (input) => input === 0,
  constant: () => undefined,
});

describe.each([
  ["Conv", convolution],
  ["ConvTranspose", convTranspose],
] as const)("the rule of %s", (op, rule) => {
  test.each([true, false])("ties channels to the weight's inputs, and outputs to the bias: %s", (hasBias) => {
    const store = new LabelStore();
    const { batch, channels, places, outputs, inputs, kernel, bias } = createAxes(store);
    const x: Labelled = { shape: [2, 3, 5], fields: [batch, free([1], channels), free([2], places)] };
    const [ofOutputs, ofInputs] = op === "Conv" ? [0, 1] : [1, 0];
    const weight: Labelled = {
      shape: op === "Conv" ? [4, 3, 2] : [3, 4, 2],
      fields: [free([ofOutputs], outputs), free([ofInputs], inputs), free([2], kernel)],
    };
    const given = [x, weight, ...(hasBias ? [{ shape: [4], fields: [free([0], bias)] }] : [])];
    const [y] = rule(contextOf({ store, op, inputs: given })) ?? [];
    expect(y?.shape).toEqual([2, 4, 6]);
    // Places of the result are in order, and so is the batch.
    expect(y?.fields).toContainEqual(coordinate(2, 6));
    expect(y?.fields).toContainEqual(batch);
    const made = y?.fields.find(({ frozen }) => !frozen);
    expect(made?.axes).toEqual([1]);
    expect(store.classesOf(made?.data ?? new Int32Array())).toEqual(store.classesOf(outputs));
    expect(store.classesOf(channels)).toEqual(store.classesOf(inputs));
    expect(store.classOf(bias[0] ?? -1) === store.classOf(outputs[0] ?? -1)).toBe(hasBias);
    // What the kernel slides along and its own places stay, and are told why; units may move.
    const reasonOf = (labels: Int32Array) => store.reason(store.reasonNumber(labels[0] ?? -1, false))?.text;
    expect(reasonOf(places)).toBe("a convolution slides a kernel along it there");
    expect(reasonOf(kernel)).toBe("it is an axis of a convolution's kernel");
    expect([channels, outputs, inputs].map(reasonOf)).toEqual([undefined, undefined, undefined]);
    expect((store.flags[inputs[0] ?? -1] ?? 0) & LABEL_FLAGS.weightInput).not.toBe(0);
    expect((store.flags[channels[0] ?? -1] ?? 0) & LABEL_FLAGS.weightInput).toBe(0);
  });
});

describe("fixAxes()", () => {
  test("numbers the indices of axes of more than one", () => {
    const input: Labelled = { shape: [2, 1, 3, 4], fields: [coordinate(0, 2)] };
    expect(fixAxes(input, [1, 2])).toEqual({ ...input, fields: [coordinate(0, 2), coordinate(2, 3)] });
  });
});

describe("collapseOrdered()", () => {
  test("drops what is fixed or lies on ordered axes alone, and keeps other axes", () => {
    const store = new LabelStore();
    const [units, places] = [store.create(3), store.create(2)];
    const input: Labelled = {
      shape: [3, 2],
      fields: [free([0], units), free([1], places), coordinate(1, 2)],
    };
    expect(collapseOrdered(store, input, [1], "in order")).toEqual({
      shape: [3, 1],
      fields: [free([0], units)],
    });
    const reasons = [...units, ...places].map(
      (label) => store.reason(store.reasonNumber(label, false))?.text,
    );
    expect(reasons).toEqual([undefined, undefined, undefined, "in order", "in order"]);
  });

  test("tells rows of the same labels in another order apart, which hold their labels in place", () => {
    const store = new LabelStore();
    const [a = 0, b = 0] = store.create(2);
    const input: Labelled = { shape: [2, 2], fields: [free([0, 1], Int32Array.of(a, b, b, a))] };
    const { shape, fields } = collapseOrdered(store, input, [1], "in order");
    expect(shape).toEqual([2, 1]);
    expect(fields.map(({ axes }) => axes)).toEqual([[0]]);
    expect(new Set(fields[0]?.data).size).toBe(2);
    expect(store.reason(store.reasonNumber(a, false))?.text).toBe("in order");
  });

  test("adds no labels if each label lies at one place", () => {
    const store = new LabelStore();
    const labels = store.create(4);
    const input: Labelled = { shape: [2, 2], fields: [free([0, 1], labels)] };
    const { fields } = collapseOrdered(store, input, [1], "in order");
    // One for each row.
    expect([store.count, ...(fields[0]?.data ?? [])]).toEqual([6, 4, 5]);
    // Labels at different places of the ordered axis differ.
    const [first, second] = labels.map((label) => store.markLow[label] ?? 0);
    expect(first).not.toBe(second);
  });

  test("tells all labels apart that lie on ordered axes alone, wherever they lie", () => {
    const store = new LabelStore();
    const [a = 0, b = 0] = store.create(2);
    const input: Labelled = { shape: [2, 2], fields: [free([0, 1], Int32Array.of(a, b, b, a))] };
    expect(collapseOrdered(store, input, [0, 1], "in order").fields).toEqual([]);
    expect(store.markLow[a]).not.toBe(store.markLow[b]);
  });
});
