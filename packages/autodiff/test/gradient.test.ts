import { gradient, lowerBatchNorm } from "@isthmus/autodiff";
import { createRandom, type Tensor } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import {
  add,
  GraphBuilder,
  matMul,
  mul,
  reduceMean,
  reduceSum,
  softmax,
  sub,
  tanh,
  type Value,
} from "@isthmus/graph/builder";
import { float, gradientName, int } from "@isthmus/graph/ir";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { runOnce } from "../../../test/helpers/check-gradient.ts";

const W = { dtype: "f64", shape: [3, 3] } as const;

/** Random values for all inputs and weights. */
function feedsOf(graph: Graph, seed: number): Map<string, Tensor> {
  const infos = [...graph.inputs, ...[...graph.weights].map(([name, info]) => ({ name, ...info }))];
  return new Map(
    infos.map(({ name, shape = [] }) => {
      const random = createRandom(seed, name);
      const size = shape.map(Number).reduce((product, extent) => product * extent, 1);
      const data = Float64Array.from({ length: size }, () => random.normal());
      return [name, { dtype: "f64", shape: shape.map(Number), data }];
    }),
  );
}

const numbers = (results: ReadonlyMap<string, Tensor>, name: string): number[] =>
  Array.from(results.get(name)?.data as Float64Array);

/** Equal to f64 rounding, summed in another order. */
function expectClose(got: readonly number[], expected: readonly number[]): void {
  expect(got).toHaveLength(expected.length);
  const scale = Math.max(1, ...expected.map(Math.abs));
  for (const [i, value] of expected.entries())
    expect(Math.abs((got[i] ?? Number.NaN) - value)).toBeLessThan(1e-12 * scale);
}

/** Two losses of shared parts, and their combination. */
function twoLosses(a: number, c: number): { graph: Graph; first: string; second: string; both: string } {
  const b = new GraphBuilder("losses", 21);
  const hidden = tanh(matMul(b.input("x", W), b.weight("w", W)));
  const first = reduceMean(mul(hidden, softmax(hidden)));
  const second = reduceSum(mul(sub(hidden, b.weight("v", { dtype: "f64", shape: [3] })), hidden));
  const both = add(mul(first, a), mul(second, c));
  return { graph: b.build([first, second, both]), first: first.name, second: second.name, both: both.name };
}

const anySeed = fc.nat({ max: 2 ** 31 - 1 });
const anyFactor = fc.double({ min: -3, max: 3, noNaN: true });
const law = (property: fc.IAsyncProperty<never>, numRuns = 10) => fc.assert(property, { numRuns, seed: 1 });

describe("gradient()", () => {
  test("is linear in the loss", () =>
    law(
      fc.asyncProperty(anySeed, anyFactor, anyFactor, async (seed, a, c) => {
        const { graph, first, second, both } = twoLosses(a, c);
        const feeds = feedsOf(graph, seed);
        const by = async (loss: string) =>
          runOnce(gradient(graph, { loss, withRespectTo: ["w", "v"] }), feeds);
        const [one, two, sum] = [await by(first), await by(second), await by(both)];
        for (const name of ["w", "v"]) {
          const parts = numbers(two, gradientName(second, name));
          const expected = numbers(one, gradientName(first, name)).map(
            (value, i) => a * value + c * (parts[i] ?? 0),
          );
          expectClose(numbers(sum, gradientName(both, name)), expected);
        }
      }) as never,
    ));

  test("follows the chain rule through any value in between", () =>
    law(
      fc.asyncProperty(anySeed, async (seed) => {
        const b = new GraphBuilder("chain", 21);
        const w = b.weight("w", W);
        const middle = tanh(matMul(b.input("x", W), w));
        const loss = reduceSum(mul(middle, softmax(middle)));
        const graph = b.build([middle, loss]);
        const feeds = feedsOf(graph, seed);
        const whole = await runOnce(
          gradient(graph, { loss: loss.name, withRespectTo: ["w", middle.name] }),
          feeds,
        );
        // The gradient by the value in between, held fixed, times the Jacobian of that value.
        const held = new GraphBuilder("held", 21);
        const values = held.inline(
          graph,
          new Map([
            ["x", held.input("x", W)],
            ["w", held.weight("w", W)],
          ]),
        );
        const inner = reduceSum(mul(values.get(middle.name) as Value, held.input("g", W)));
        const parts = await runOnce(
          gradient(held.build([inner]), { loss: inner.name, withRespectTo: ["w"] }),
          new Map([...feeds, ["g", whole.get(gradientName(loss.name, middle.name)) as Tensor]]),
        );
        expectClose(
          numbers(parts, gradientName(inner.name, "w")),
          numbers(whole, gradientName(loss.name, "w")),
        );
      }) as never,
    ));

  test("is zero for what the loss does not depend on, and one for the loss", async () => {
    const { graph, first } = twoLosses(1, 1);
    const result = await runOnce(
      gradient(graph, { loss: first, withRespectTo: ["v", first] }),
      feedsOf(graph, 1),
    );
    expect(numbers(result, gradientName(first, "v"))).toEqual([0, 0, 0]);
    expect(numbers(result, gradientName(first, first))).toEqual([1]);
  });

  test("leaves the outputs of the graph as they are", async () => {
    const { graph, first, both } = twoLosses(2, 3);
    const feeds = feedsOf(graph, 3);
    const [plain, differentiated] = [
      await runOnce(graph, feeds),
      await runOnce(gradient(graph, { loss: both }), feeds),
    ];
    for (const name of [first, both]) expect(differentiated.get(name)).toEqual(plain.get(name));
  });

  test("sums over all uses of a value", async () => {
    const b = new GraphBuilder("uses", 21);
    const w = b.weight("w", { dtype: "f64", shape: [2] });
    const loss = reduceSum(add(mul(w, w), add(w, w)));
    const graph = b.build([loss]);
    const feeds = new Map([["w", { dtype: "f64", shape: [2], data: new Float64Array([3, -1]) } as const]]);
    const result = await runOnce(gradient(graph, { loss: loss.name }), feeds);
    expect(numbers(result, gradientName(loss.name, "w"))).toEqual([8, 0]);
  });

  test("differentiates as often as asked", async () => {
    // d³/dw³ of w⁴ is 24 w.
    const b = new GraphBuilder("quartic", 21);
    const w = b.weight("w", { dtype: "f64", shape: [] });
    const square = mul(w, w);
    let loss = mul(square, square);
    let graph = b.build([loss]);
    for (let order = 1; order <= 3; order++) {
      const next = gradient(graph, { loss: loss.name, withRespectTo: ["w"] });
      loss = GraphBuilder.from(next).value(gradientName(loss.name, "w"));
      graph = { ...next, outputs: [{ name: loss.name, dtype: loss.dtype, shape: loss.shape }] };
    }
    const result = await runOnce(
      graph,
      new Map([["w", { dtype: "f64", shape: [], data: new Float64Array([1.5]) }]]),
    );
    expect(numbers(result, loss.name)).toEqual([36]);
  });
});

describe("lowerBatchNorm()", () => {
  test("computes the batch's mean, its population variance, and running ones from them", () =>
    law(
      fc.asyncProperty(anySeed, fc.constantFrom(0, 0.9), async (seed, momentum) => {
        const b = new GraphBuilder("norm", 21);
        const x = { dtype: "f64", shape: [3, 2, 2] } as const;
        const channels = { dtype: "f64", shape: [2] } as const;
        const weights = ["scale", "bias", "mean", "variance"].map((name) => b.weight(name, channels));
        const results = b.emit("BatchNormalization", [b.input("x", x), ...weights], [x, channels, channels], {
          attributes: { training_mode: int(1), momentum: float(momentum), epsilon: float(0) },
        });
        const graph = b.build(results);
        const feeds = feedsOf(graph, seed);
        const found = await runOnce(lowerBatchNorm(graph), feeds);
        const [y, mean, variance] = results.map(({ name }) => numbers(found, name));
        const given = (name: string, i: number) => Number(feeds.get(name)?.data[i]);
        for (const channel of [0, 1]) {
          const places = [0, 1, 4, 5, 8, 9].map((place) => place + 2 * channel);
          const average = (value: (place: number) => number) =>
            places.reduce((total, place) => total + value(place), 0) / places.length;
          const center = average((place) => given("x", place));
          const spread = average((place) => (given("x", place) - center) ** 2);
          // Attributes are f32, so that 0.9 is not quite that.
          const share = Math.fround(momentum);
          const mixed = (name: string, own: number) => share * given(name, channel) + (1 - share) * own;
          const statistics = [mean?.[channel] ?? Number.NaN, variance?.[channel] ?? Number.NaN];
          expectClose(statistics, [mixed("mean", center), mixed("variance", spread)]);
          expectClose(
            places.map((place) => y?.[place] ?? Number.NaN),
            places.map(
              (place) =>
                ((given("x", place) - center) / Math.sqrt(spread)) * given("scale", channel) +
                given("bias", channel),
            ),
          );
        }
      }) as never,
    ));
});
