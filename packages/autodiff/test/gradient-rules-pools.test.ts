import { gradient } from "@isthmus/autodiff";
import { createTensor, type Tensor } from "@isthmus/core";
import type { Attribute } from "@isthmus/graph";
import {
  averagePool,
  GraphBuilder,
  globalAveragePool,
  globalMaxPool,
  maxPool,
  mul,
  reduceSum,
} from "@isthmus/graph/builder";
import { gradientName, int, ints, string } from "@isthmus/graph/ir";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  checkGradient,
  checkHessian,
  type GradientCase,
  runOnce,
} from "../../../test/helpers/check-gradient.ts";
import { type AxisCase, axisCases, type Padding, paddings, severalAxes, upTo } from "./window-cases.ts";

interface PoolCase {
  readonly axes: readonly AxisCase[];
  readonly leading: readonly [number, number];
  readonly ceil: boolean;
  readonly automatic: Padding;
  readonly countPads: boolean;
}

const poolAxes = axisCases(4).map((axis) => ({
  ...axis,
  // Engines want every window to have an element.
  before: Math.min(axis.before, axis.taps - 1),
  after: Math.min(axis.after, axis.taps - 1),
}));

const poolCases = fc.record<PoolCase>({
  axes: severalAxes(poolAxes),
  leading: fc.tuple(upTo(2, 1), upTo(2, 1)),
  ceil: fc.boolean(),
  automatic: paddings,
  countPads: fc.boolean(),
});

function buildPool(op: "MaxPool" | "AveragePool", given: PoolCase): GradientCase["build"] {
  const { axes, leading, automatic, countPads } = given;
  const isExplicit = automatic === "NOTSET";
  // onnxruntime's mean has no dilation, and its automatic padding none either.
  const dilations = axes.map(({ dilation }) => (op === "MaxPool" && isExplicit ? dilation : 1));
  const before = axes.map((axis) => (isExplicit ? axis.before : 0));
  const after = axes.map((axis) => (isExplicit ? axis.after : 0));
  const reach = axes.map(({ taps }, i) => dilations[i]! * (taps - 1) + 1);
  // At least as many elements as dilation skips, so that every window has one.
  const extents = axes.map(
    ({ spare }, i) => Math.max(dilations[i]!, reach[i]! - before[i]! - after[i]!) + spare,
  );
  const free = extents.map((extent, i) => extent + before[i]! + after[i]! - reach[i]!);
  // A last window that begins in the padding at the end counts or not, depending on who is asked.
  const begins = (i: number) => Math.ceil(free[i]! / axes[i]!.stride) * axes[i]!.stride;
  const ceil = given.ceil && isExplicit && extents.every((extent, i) => begins(i) < extent + before[i]!);
  const counts = axes.map(({ stride }, i) => {
    if (automatic.startsWith("SAME")) return Math.ceil(extents[i]! / stride);
    return (ceil ? Math.ceil(free[i]! / stride) : Math.floor(free[i]! / stride)) + 1;
  });
  const attributes: Record<string, Attribute> = {
    kernel_shape: ints(axes.map(({ taps }) => taps)),
    strides: ints(axes.map(({ stride }) => stride)),
    ceil_mode: int(ceil ? 1 : 0),
    ...(op === "MaxPool" ? { dilations: ints(dilations) } : { count_include_pad: int(countPads ? 1 : 0) }),
    ...(isExplicit ? { pads: ints([...before, ...after]) } : { auto_pad: string(automatic) }),
  };
  return (b, dtype) => {
    const x = b.input("x", { dtype, shape: [...leading, ...extents] });
    return b.emit(op, [x], [{ dtype, shape: [...leading, ...counts] }], { attributes })[0]!;
  };
}

describe("rule of MaxPool", () => {
  test("gradient() equals differences for all attributes", async () => {
    const property = fc.asyncProperty(poolCases, (given) => checkGradient(buildPool("MaxPool", given)));
    await fc.assert(property, { numRuns: 30 });
  });

  test("hessianVectorProduct() equals differences of gradients", async () => {
    const property = fc.asyncProperty(poolCases, (given) => checkHessian(buildPool("MaxPool", given)));
    await fc.assert(property, { numRuns: 20 });
  });

  test("gradient() equals differences where tiles leave a rest, and in narrow and wide rows", async () => {
    const pooled = (shape: readonly number[], taps: readonly number[]) =>
      checkGradient((b, dtype) => maxPool(b.input("x", { dtype, shape }), taps));
    await pooled([1, 2, 5, 7], [2, 2]);
    await pooled([2, 1, 3, 70], [2, 2]);
    await pooled([2, 1, 9], [3]);
    await pooled([1, 1, 2, 4, 4], [2, 2, 2]);
  });

  test.each([
    ["tiles", [2, 2], [2, 2]],
    ["overlapping windows", [3, 3], [2, 2]],
  ])("gradient() goes to the first of equal maxima in row-major order: %s", async (_, taps, strides) => {
    const rows = [0, 1, 1, 1, 1, 1, 1, 0, 1, 0, 0, 0, 1, 1, 0, 0, 2, 2, 0, 0, 2, 2, 0, 0, 0];
    const x = createTensor("f32", [1, 1, 5, 5], Float32Array.from(rows));
    const got = await gradientOf(x, (input) => maxPool(input, taps, { strides }));
    expect(got).toEqual(firstMaxima(rows, 5, { taps: taps[0]!, stride: strides[0]! }));
  });
});

/** Gradient of the sum of a function's results, each times its number from 1. */
async function gradientOf(
  x: Tensor,
  apply: (input: ReturnType<GraphBuilder["input"]>) => ReturnType<GraphBuilder["input"]>,
) {
  const b = new GraphBuilder("ties", 17);
  const y = apply(b.input("x", x));
  const numbers = Float32Array.from({ length: y.shape.reduce((a, c) => a * c, 1) }, (_, i) => i + 1);
  const loss = b.rename(reduceSum(mul(y, b.numbers(numbers, "f32", y.shape))), "loss");
  const graph = gradient(b.build([loss]), { loss: "loss", withRespectTo: ["x"] });
  const results = await runOnce(graph, new Map([["x", x]]));
  return Array.from(results.get(gradientName("loss", "x"))!.data as Float32Array);
}

/** The same for a pool of a square plane, from the definition. */
function firstMaxima(
  plane: readonly number[],
  width: number,
  pool: { taps: number; stride: number },
): number[] {
  const count = Math.floor((width - pool.taps) / pool.stride) + 1;
  const gradients = plane.map(() => 0);
  for (let window = 0; window < count * count; window++) {
    const corner = pool.stride * (Math.floor(window / count) * width + (window % count));
    const places = Array.from(
      { length: pool.taps ** 2 },
      (_, tap) => corner + Math.floor(tap / pool.taps) * width + (tap % pool.taps),
    );
    const largest = Math.max(...places.map((place) => plane[place]!));
    gradients[places.find((place) => plane[place] === largest)!]! += window + 1;
  }
  return gradients;
}

describe("rule of AveragePool", () => {
  const check = (given: PoolCase) => ({
    build: buildPool("AveragePool", given),
    precision: "multilinear" as const,
  });

  test("gradient() equals differences for all attributes", async () => {
    await fc.assert(
      fc.asyncProperty(poolCases, (given) => checkGradient(check(given))),
      { numRuns: 36 },
    );
  });

  test("hessianVectorProduct() equals differences of gradients", async () => {
    await fc.assert(
      fc.asyncProperty(poolCases, (given) => checkHessian(check(given))),
      { numRuns: 20 },
    );
  });

  test("gradient() equals differences of what the builder makes", async () => {
    const build: GradientCase["build"] = (b, dtype) =>
      averagePool(b.input("x", { dtype, shape: [2, 1, 6, 5] }), [3, 2], {
        strides: [2, 2],
        pads: [1, 0, 1, 1],
        ceilMode: true,
        countPads: true,
      });
    await checkGradient({ build, precision: "multilinear" });
  });
});

describe.each([[[2, 3, 2, 4]], [[2, 3, 5]], [[1, 2, 2, 2, 3]]])("rules of global pools, %j", (shape) => {
  const mean: GradientCase["build"] = (b, dtype) => globalAveragePool(b.input("x", { dtype, shape }));
  const largest: GradientCase["build"] = (b, dtype) => globalMaxPool(b.input("x", { dtype, shape }));

  test("gradient() equals differences", async () => {
    await checkGradient({ build: mean, precision: "multilinear" });
    await checkGradient({ build: largest, precision: "single" });
  });

  test("hessianVectorProduct() equals differences of gradients", async () => {
    await checkHessian({ build: mean, precision: "multilinear" });
    await checkHessian({ build: largest, precision: "single" });
  });
});

test("rule of GlobalMaxPool gives the gradient to the first of equal maxima", async () => {
  const x = createTensor("f32", [1, 2, 2, 2], Float32Array.of(0, 3, 3, 3, 1, 1, 1, 1));
  expect(await gradientOf(x, globalMaxPool)).toEqual([0, 1, 0, 0, 2, 0, 0, 0]);
});
