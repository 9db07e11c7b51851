import {
  gaussNewtonProduct,
  gradient,
  gradientOuterProduct,
  hessianVectorProduct,
  productName,
  vectorName,
} from "@isthmus/autodiff";
import { createRandom, type Tensor } from "@isthmus/core";
import { GraphBuilder, matMul, mul, reduceSum, sigmoid, sub, tanh } from "@isthmus/graph/builder";
import { gradientName } from "@isthmus/graph/ir";
import fc from "fast-check";
import { expect, test } from "vitest";
import { runOnce } from "../../../test/helpers/check-gradient.ts";

const W = { dtype: "f64", shape: [3, 3] } as const;

const randomTensor = (seed: number, label: string): Tensor => {
  const random = createRandom(seed, label);
  return { ...W, data: Float64Array.from({ length: 9 }, () => random.normal()) };
};

/** Weighted squared errors of an output that is used by itself later, so that its cotangent has two parts. */
function network(isLinear: boolean, isNamed = false) {
  const b = new GraphBuilder("network", 21);
  const product = matMul(b.input("x", W), b.weight("w", W));
  const made = isLinear ? product : tanh(product);
  // A name of its own makes the output a copy of what is computed.
  const output = isNamed ? b.rename(made, "scores") : made;
  const error = sub(output, b.input("y", W));
  const losses = mul(error, mul(error, sigmoid(output)));
  const loss = reduceSum(mul(losses, b.numbers([0.2, 0.3, 0.5], "f64")));
  return { graph: b.build([loss]), loss: loss.name, losses: losses.name, output: output.name };
}

const feedsOf = (seed: number) =>
  new Map(["x", "y", "w", vectorName("w")].map((name) => [name, randomTensor(seed, name)]));

const numbers = (results: ReadonlyMap<string, Tensor>, name: string) =>
  Array.from(results.get(name)?.data as Float64Array);

function expectClose(got: readonly number[], expected: readonly number[]): void {
  const scale = Math.max(1, ...expected.map(Math.abs));
  expect(got).toHaveLength(expected.length);
  for (const [i, x] of got.entries())
    expect(Math.abs(x - (expected[i] ?? Number.NaN))).toBeLessThan(1e-12 * scale);
}

test("gaussNewtonProduct() is the Hessian where the output is linear, though the loss is no square", () =>
  fc.assert(
    fc.asyncProperty(fc.nat(1000), fc.boolean(), async (seed, isNamed) => {
      const { graph, loss, output } = network(true, isNamed);
      const options = { loss, output, withRespectTo: ["w"] };
      const product = await runOnce(gaussNewtonProduct(graph, options), feedsOf(seed));
      const second = hessianVectorProduct(graph, { loss, withRespectTo: ["w"] });
      const name = productName(loss, "w");
      expectClose(numbers(product, name), numbers(await runOnce(second, feedsOf(seed)), name));
    }),
    { numRuns: 10, seed: 1 },
  ));

test("gaussNewtonProduct() has the Jacobian of the output on both sides", async () => {
  const { graph, loss, output } = network(false);
  const feeds = feedsOf(3);
  const options = { loss, output, withRespectTo: ["w"] };
  const [w, v] = [feeds.get("w"), feeds.get(vectorName("w"))].map((tensor) => tensor?.data as Float64Array);
  if (w === undefined || v === undefined) throw new Error("no weights");
  // The output moved along v, by central differences, and its inner product with the Hessian by the output.
  const outputs = { ...graph, outputs: [{ name: output, ...W }] };
  const moved = async (step: number) =>
    numbers(
      await runOnce(
        outputs,
        new Map([...feeds, ["w", { ...W, data: w.map((x, i) => x + step * (v[i] as number)) }]]),
      ),
      output,
    );
  const [ahead, behind] = [await moved(1e-5), await moved(-1e-5)];
  const pushed = Float64Array.from(ahead, (x, i) => (x - (behind[i] ?? Number.NaN)) / 2e-5);
  const inner = hessianVectorProduct(graph, { loss, withRespectTo: [output] });
  const curved = numbers(
    await runOnce(inner, new Map([...feeds, [vectorName(output), { ...W, data: pushed }]])),
    productName(loss, output),
  );
  const expected = curved.reduce((sum, x, i) => sum + x * (pushed[i] as number), 0);
  const product = numbers(await runOnce(gaussNewtonProduct(graph, options), feeds), productName(loss, "w"));
  const got = product.reduce((sum, x, i) => sum + x * (v[i] as number), 0);
  expect(Math.abs(got / expected - 1)).toBeLessThan(1e-8);
});

test("gradientOuterProduct() adds up squares of gradients of each example's part of the loss", async () => {
  const { graph, loss, losses } = network(false);
  const feeds = feedsOf(5);
  const v = Array.from(feeds.get(vectorName("w"))?.data as Float64Array);
  const expected = Array<number>(9).fill(0);
  for (let row = 0; row < 3; row++) {
    const b = GraphBuilder.from(graph);
    const weights = Array.from({ length: 9 }, (_, i) =>
      Math.floor(i / 3) === row ? ([0.2, 0.3, 0.5][i % 3] ?? 0) : 0,
    );
    const part = reduceSum(mul(b.value(losses), b.numbers(weights, "f64", [3, 3])));
    const single = gradient(b.build([part]), { loss: part.name, withRespectTo: ["w"] });
    const g = numbers(await runOnce(single, feeds), gradientName(part.name, "w"));
    const along = g.reduce((sum, x, i) => sum + x * (v[i] ?? 0), 0);
    for (const [i, x] of g.entries()) expected[i] = (expected[i] ?? 0) + along * x;
  }
  const product = gradientOuterProduct(graph, { loss, losses, withRespectTo: ["w"] });
  expectClose(numbers(await runOnce(product, feeds), productName(loss, "w")), expected);
});
