import { createRandom, createTensor, sizeOf, type Tensor } from "@isthmus/core";
import { conv, GraphBuilder, type Value } from "@isthmus/graph/builder";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { runOnce } from "../../../test/helpers/check-gradient.ts";
import { inputGradient } from "../src/rules/convolution.ts";
import type { Convolution } from "../src/windows/convolution.ts";
import { KERNEL_FORMS, kernelGradient } from "../src/windows/kernel-gradient.ts";
import { readWindow, type WindowAxis } from "../src/windows/window.ts";

type Form = (x: Value, given: Value, convolution: Convolution) => Value;

const FORMS: Readonly<Record<string, Form>> = { ...KERNEL_FORMS, kernelGradient };
const FORMS_OF_GROUPS: ReadonlySet<string> = new Set(["convolveExamples", "multiplyRows", "kernelGradient"]);

interface FormCase {
  readonly batch: number;
  readonly group: number;
  readonly inner: number;
  readonly outer: number;
  readonly axes: readonly WindowAxis[];
}

const upTo = (max: number, min = 0) => fc.integer({ min, max });

const axisCases = fc
  .record({
    count: upTo(9, 1),
    taps: upTo(5, 1),
    stride: upTo(3, 1),
    dilation: upTo(2, 1),
    before: upTo(3),
    after: upTo(3),
    rest: upTo(2),
  })
  .map(({ rest, ...axis }): WindowAxis => {
    const reach = axis.stride * (axis.count - 1) + axis.dilation * (axis.taps - 1) + 1;
    const before = Math.min(axis.before, reach - 1);
    // Either there is padding at the end or a rest that no window reaches.
    const after = Math.max(-Math.min(rest, axis.stride - 1), Math.min(axis.after, reach - before - 1));
    return { ...axis, before, after, extent: reach - before - after };
  });

const formCases = fc.record<FormCase>({
  batch: upTo(6, 1),
  group: fc.constantFrom(1, 1, 2, 3),
  inner: fc.constantFrom(1, 2, 3, 17),
  outer: upTo(3, 1),
  axes: fc.array(axisCases, { minLength: 1, maxLength: 2 }),
});

function random(shape: readonly number[], label: string): Tensor {
  const source = createRandom(0, label);
  const data = Float32Array.from({ length: sizeOf(shape) }, () => Math.round(source.uniform() * 16 - 8));
  return createTensor("f32", shape, data);
}

const each = (axes: readonly WindowAxis[], property: keyof WindowAxis) => axes.map((axis) => axis[property]);

/** The gradient from the definition. */
function fromDefinition(
  { batch, group, inner, outer, axes }: FormCase,
  { x, given }: Readonly<Record<"x" | "given", Tensor>>,
): number[] {
  const taps = each(axes, "taps");
  const result: number[] = [];
  const at = (tensor: Tensor, index: readonly number[]) =>
    Number(tensor.data[index.reduce((flat, place, axis) => flat * tensor.shape[axis]! + place, 0)]);
  const indices = (shape: readonly number[]) =>
    Array.from({ length: sizeOf(shape) }, (_, flat) => {
      const index: number[] = [];
      let rest = flat;
      for (const extent of shape.toReversed()) {
        index.unshift(rest % extent);
        rest = Math.floor(rest / extent);
      }
      return index;
    });
  for (const [out = 0, channel = 0, ...tap] of indices([group * outer, inner, ...taps])) {
    let total = 0;
    for (const window of indices(each(axes, "count"))) {
      const place = axes.map(
        ({ stride, dilation, before }, i) => stride * window[i]! + dilation * tap[i]! - before,
      );
      if (place.some((each_, i) => each_ < 0 || each_ >= axes[i]!.extent)) continue;
      for (let example = 0; example < batch; example++) {
        const from = Math.floor(out / outer) * inner + channel;
        total += at(x, [example, from, ...place]) * at(given, [example, out, ...window]);
      }
    }
    result.push(total);
  }
  return result;
}

async function apply(form: Form, given: FormCase, tensors: Readonly<Record<"x" | "given", Tensor>>) {
  const b = new GraphBuilder("form", 17);
  const result = form(b.input("x", tensors.x), b.input("given", tensors.given), given);
  const graph = b.build([result]);
  const results = await runOnce(graph, new Map(Object.entries(tensors)));
  return { graph, tensor: results.get(result.name)! };
}

describe.each(Object.entries(FORMS))("%s()", (name, form) => {
  test("equals the definition for every geometry", async () => {
    const property = fc.asyncProperty(formCases, async (drawn) => {
      const given = FORMS_OF_GROUPS.has(name) ? drawn : { ...drawn, group: 1 };
      const { batch, group, inner, outer, axes } = given;
      const x = random([batch, group * inner, ...each(axes, "extent")], "x");
      const y = random([batch, group * outer, ...each(axes, "count")], "given");
      const { tensor } = await apply(form, given, { x, given: y });
      expect(tensor.shape).toEqual([group * outer, inner, ...each(axes, "taps")]);
      // Whole numbers: exact in every order of summation.
      expect(Array.from(tensor.data as Float32Array, (value) => value + 0)).toEqual(
        fromDefinition(given, { x, given: y }),
      );
    });
    await fc.assert(property, { numRuns: 40 });
  });
});

describe("kernelGradient() of convolutions over examples", () => {
  const axis: WindowAxis = {
    extent: 6,
    count: 3,
    taps: 3,
    stride: 2,
    dilation: 1,
    before: 1,
    after: 0,
  };
  const sizes = { batch: 16, group: 1, inner: 5, outer: 16 };

  test.each([
    { name: "blocks of examples and channels", changed: {}, convolutions: 1 },
    { name: "no other batch", changed: { batch: 15 }, convolutions: 0 },
    { name: "no other channels", changed: { outer: 15 }, convolutions: 0 },
    {
      name: "no dilated rows",
      changed: { axes: [axis, { ...axis, taps: 2, dilation: 2 }] },
      convolutions: 0,
    },
  ])("takes $name, and equals the definition", async ({ changed, convolutions }) => {
    const given: FormCase = { axes: [axis, axis], ...sizes, ...changed };
    const { batch, inner, outer, axes } = given;
    const x = random([batch, inner, ...each(axes, "extent")], "x");
    const y = random([batch, outer, ...each(axes, "count")], "given");
    const form: Form = (value, g, convolution) =>
      kernelGradient(value, g, { ...convolution, convolvesExamples: true });
    const { graph, tensor } = await apply(form, given, { x, given: y });
    const kernels = graph.nodes.filter(({ op, inputs }) => {
      return op === "Conv" && !graph.constants.has(inputs[1] ?? "");
    });
    expect(kernels).toHaveLength(convolutions);
    expect(Array.from(tensor.data as Float32Array, (value) => value + 0)).toEqual(
      fromDefinition(given, { x, given: y }),
    );
  });
});

test.each([
  { name: "3x3", group: 1, inner: 16, taps: [3, 3], most: 60 },
  { name: "depthwise 3x3", group: 32, inner: 1, taps: [3, 3], most: 40 },
  { name: "depthwise 7x7", group: 32, inner: 1, taps: [7, 7], most: 20 },
  { name: "groups of 4", group: 8, inner: 4, taps: [3, 3], most: 40 },
  { name: "11x11", group: 1, inner: 3, taps: [11, 11], most: 80 },
])("kernelGradient() takes few nodes: $name", ({ group, inner, taps, most }) => {
  const b = new GraphBuilder("nodes", 17);
  const shape = [8, group * inner, 12, 12];
  const axes = taps.map((tap, i): WindowAxis => {
    const around = (tap - 1) / 2;
    const geometry = { extent: shape[i + 2]!, count: 12, taps: tap, stride: 1, dilation: 1 };
    return { ...geometry, before: around, after: around };
  });
  const x = b.input("x", { dtype: "f32", shape });
  kernelGradient(x, b.input("given", { dtype: "f32", shape }), { axes, group });
  expect(b.nodes.length).toBeLessThanOrEqual(most);
});

test("inputGradient() is the adjoint of the convolution", async () => {
  const property = fc.asyncProperty(formCases, async (given) => {
    const { batch, group, inner, outer, axes } = given;
    const b = new GraphBuilder("adjoint", 17);
    const x = b.input("x", { dtype: "f32", shape: [batch, group * inner, ...each(axes, "extent")] });
    const w = b.input("w", { dtype: "f32", shape: [group * outer, inner, ...each(axes, "taps")] });
    const y = conv(x, w, {
      strides: each(axes, "stride"),
      dilations: each(axes, "dilation"),
      pads: [...each(axes, "before"), ...each(axes, "after").map((pad) => Math.max(0, pad))],
      group,
    });
    const given_ = b.input("given", { dtype: "f32", shape: y.shape });
    const lines = readWindow(b.nodes.at(-1)!, {
      extents: x.shape.slice(2),
      counts: y.shape.slice(2),
      taps: w.shape.slice(2),
    });
    expect(lines).toEqual(axes);
    const back = inputGradient(given_, w, { axes: lines, group });
    const feeds = new Map([x, w, given_].map((value) => [value.name, random(value.shape, value.name)]));
    const results = await runOnce(b.build([y, back]), feeds);
    const dot = (a: Tensor, c: Tensor) =>
      Array.from(a.data as Float32Array).reduce((total, value, i) => total + value * Number(c.data[i]), 0);
    expect(dot(results.get(back.name)!, feeds.get("x")!)).toBe(
      dot(results.get(y.name)!, feeds.get("given")!),
    );
  });
  await fc.assert(property, { numRuns: 60 });
});
