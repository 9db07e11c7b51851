import type { DType, Tensor } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import type { Graph, LossesOfOutputs } from "@isthmus/graph";
import { GraphBuilder, mul, reduceSum, type Value } from "@isthmus/graph/builder";
import { attachLoss, type LossSpec } from "@isthmus/training";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkGradient } from "../../../test/helpers/check-gradient.ts";
import { integers } from "../../../test/helpers/run-steps.ts";

const engine = createOnnxRuntimeEngine();

/** A graph with one data input of which a weight is the output, so that the output can be chosen. */
function echo(
  x: readonly number[],
  y: readonly number[],
  [of, as]: readonly DType[] = ["f32", "f32"],
): Graph {
  const builder = new GraphBuilder("echo", 21);
  builder.input("x", { dtype: of ?? "f32", shape: x });
  return builder.build([builder.rename(builder.weight("w", { dtype: as ?? "f32", shape: y }), "y")]);
}

async function evaluate(
  graph: Graph,
  loss: LossSpec,
  feeds: Readonly<Record<string, Tensor>>,
): Promise<Record<string, number>> {
  const objective = attachLoss(graph, loss);
  const session = await engine.load(objective.graph, { threads: 1 });
  const results = await session.run(new Map(Object.entries(feeds)));
  await session.release();
  const names = [...objective.metrics, ["loss", objective.loss] as const];
  return Object.fromEntries(names.map(([what, name]) => [what, Number(results.get(name)?.data[0])]));
}

const floats = (shape: readonly number[], numbers: readonly number[]): Tensor => ({
  dtype: "f32",
  shape,
  data: Float32Array.from(numbers),
});

const crossEntropy: LossSpec = { kind: "cross-entropy" };
const nextToken: LossSpec = { kind: "next-token" };

describe("attachLoss()", () => {
  const cases: readonly (readonly [
    LossSpec,
    readonly number[],
    Readonly<Record<string, readonly number[]>>,
  ])[] = [
    [crossEntropy, [3, 4], { labels: [1, 3, 0] }],
    [{ kind: "cross-entropy", labelSmoothing: 0.3 }, [3, 4], { labels: [1, 3, 0] }],
    [crossEntropy, [2, 3, 4], { labels: [1, 3, 0, 2, 2, 1] }],
    [{ kind: "cross-entropy", weighted: true }, [2, 3, 4], { labels: [1, 3, 0, 2, 2, 1] }],
    [nextToken, [2, 3, 4], { x: [1, 3, 0, 2, 2, 1] }],
    [{ kind: "next-token", weighted: true, labelSmoothing: 0.1 }, [2, 3, 4], { x: [1, 3, 0, 2, 2, 1] }],
    [{ kind: "cross-entropy", classAxis: 1 }, [2, 4, 1, 3], { labels: [1, 3, 0, 2, 2, 1] }],
    [{ kind: "cross-entropy", classAxis: 1, weighted: true }, [2, 4, 3], { labels: [1, 3, 0, 2, 2, 1] }],
    [{ kind: "mean-squared-error" }, [3, 4], {}],
    [{ kind: "mean-absolute-error" }, [3, 4], {}],
    [{ kind: "binary-cross-entropy" }, [3, 4], {}],
    [{ kind: "output", output: "y" }, [1], {}],
  ];
  test.each(cases)("%o has gradients equal to differences", async (spec, shape, values) => {
    const build = (builder: GraphBuilder, dtype: DType): Value => {
      const isTokens = spec.kind === "next-token";
      const { graph, loss, targetWeights } = attachLoss(
        echo(shape.slice(0, -1), shape, [isTokens ? "i64" : "f32", dtype]),
        spec,
      );
      // Adds the inputs anew, of which the weights of tokens are constants: no loss is differentiated by them.
      const bindings = graph.inputs.map((input): [string, Value] => {
        const shape = (input.shape ?? []).map(Number);
        const weights = () => builder.numbers([1, 0.5, 2, 1, 0, 3], "f32", shape);
        if (input.name === targetWeights) return [input.name, weights()];
        return [input.name, builder.input(input.name, { dtype: input.dtype ?? "f32", shape })];
      });
      const w = builder.weight("w", { dtype, shape });
      return builder.inline(graph, new Map([...bindings, ["w", w]])).get(loss) as Value;
    };
    // The binary cross-entropy is computed in f32, as onnxruntime has no other kernel for it.
    const precision = spec.kind === "binary-cross-entropy" ? "single" : "double";
    await checkGradient({ build, values, precision });
  });

  test("several outputs have gradients equal to differences, whatever their weights and what counts", async () => {
    const weight = fc.double({ min: 0.1, max: 3, noNaN: true });
    const shares = fc.constantFrom([1, 0, 0.5, 0.5], [0.5, 0.5, 1, 0], [0, 0, 0, 1]);
    await fc.assert(
      fc.asyncProperty(weight, weight, shares, async (ofNumbers, ofLabels, counts) => {
        const outputs: LossesOfOutputs = {
          places: "masked-token",
          numbers: { loss: "mean-squared-error", weight: ofNumbers },
          labels: { loss: "binary-cross-entropy", weight: ofLabels },
        };
        const terms = {
          places: { kind: "cross-entropy", logits: "places", weighted: true },
          numbers: { kind: "mean-squared-error", prediction: "numbers" },
          labels: { kind: "binary-cross-entropy", prediction: "labels" },
        } as const;
        const shapes = { places: [2, 2, 3], numbers: [2, 2], labels: [2] };
        const build = (builder: GraphBuilder, dtype: DType): Value => {
          const typed = new GraphBuilder("echo", 21);
          typed.input("x", { dtype: "f32", shape: [2, 1] });
          const echoed = Object.entries(shapes).map(([name, shape]) =>
            typed.rename(typed.weight(`w.${name}`, { dtype, shape }), name),
          );
          const { graph, loss } = attachLoss(typed.build(echoed), { kind: "several", outputs, terms });
          const bindings = graph.inputs.map(({ name, dtype: of = "f32", shape = [] }): [string, Value] => {
            const info = { dtype: of, shape: shape.map(Number) };
            if (name === "targetWeights") return [name, builder.numbers(counts, "f32", info.shape)];
            return [name, builder.input(name, info)];
          });
          const weights = Object.entries(shapes).map(([name, shape]): [string, Value] => [
            `w.${name}`,
            builder.weight(`w.${name}`, { dtype, shape }),
          ]);
          return builder.inline(graph, new Map([...bindings, ...weights])).get(loss) as Value;
        };
        await checkGradient({ build, values: { labels_1: [1, 0, 2, 2] }, precision: "single" });
      }),
      { numRuns: 6 },
    );
  });

  test("counts what is classified rightly, the first of equal logits", async () => {
    const result = await evaluate(echo([4, 1], [4, 3]), crossEntropy, {
      x: floats([4, 1], [0, 0, 0, 0]),
      w: floats([4, 3], [3, 1, 2, 1, 3, 2, 5, 5, 1, 5, 5, 1]),
      labels: integers([0, 1, 0, 1]),
    });
    expect(result["correct"]).toBe(3);
  });

  test("is finite for extreme logits and for classes that are impossible", async () => {
    const result = await evaluate(echo([2, 1], [2, 3]), crossEntropy, {
      x: floats([2, 1], [0, 0]),
      w: floats([2, 3], [1e4, -1e4, 0, 2, Number.NEGATIVE_INFINITY, 2]),
      labels: integers([2, 0]),
    });
    expect(result["loss"]).toBeCloseTo((1e4 + Math.log(2)) / 2, 2);
  });

  test("counts a label that is no class as certain", async () => {
    const feeds = { x: floats([2, 1], [0, 0]), w: floats([2, 2], [0, 0, 0, 0]) };
    const result = await evaluate(echo([2, 1], [2, 2]), crossEntropy, { ...feeds, labels: integers([7, 1]) });
    expect(result).toEqual({ correct: expect.any(Number), loss: expect.closeTo(Math.log(2) / 2, 6) });
  });

  test("ignores what next-token logits say of the last position, and weights of first tokens", async () => {
    const graph = echo([1, 3], [1, 3, 2], ["i64", "f32"]);
    const x = integers([1, 0, 1], "i64", [1, 3]);
    const feeds = (last: number) => ({ x, w: floats([1, 3, 2], [2, 0, 0, 1, last, -last]) });
    const [a, b] = [await evaluate(graph, nextToken, feeds(1)), await evaluate(graph, nextToken, feeds(9))];
    expect(a).toEqual(b);
    expect(a["correct"]).toBe(2);
    const weights = (first: number) => ({ targetWeights: floats([1, 3], [first, 0.5, 0]) });
    const weighted: LossSpec = { kind: "next-token", weighted: true };
    const [c, d] = [
      await evaluate(graph, weighted, { ...feeds(1), ...weights(0) }),
      await evaluate(graph, weighted, { ...feeds(1), ...weights(5) }),
    ];
    expect(c).toEqual(d);
    expect(c).toEqual({ correct: 1, counted: 1, loss: expect.closeTo(Math.log(1 + Math.exp(-2)), 6) });
  });

  test("is 0 where no token counts", async () => {
    const result = await evaluate(
      echo([1, 3], [1, 3, 2], ["i64", "f32"]),
      { kind: "next-token", weighted: true },
      {
        x: integers([1, 0, 1], "i64", [1, 3]),
        w: floats([1, 3, 2], [2, 0, 0, 1, 1, 1]),
        targetWeights: floats([1, 3], [1, 0, 0]),
      },
    );
    expect(result).toEqual({ correct: 0, counted: 0, loss: 0 });
  });

  test("finds names that are free", () => {
    const builder = new GraphBuilder("busy", 21);
    builder.input("labels", { dtype: "f32", shape: [2, 3] });
    const logits = builder.rename(builder.weight("w", { dtype: "f32", shape: [2, 3] }), "loss");
    const objective = attachLoss(builder.build([logits]), crossEntropy);
    expect(objective).toMatchObject({ examples: "labels", targets: { name: "labels_1" }, loss: "loss_1" });
  });

  test("takes a scalar of the graph, its inputs by their order", () => {
    const builder = new GraphBuilder("own", 21);
    const x = builder.input("x", { dtype: "f32", shape: [2] });
    const y = builder.input("y", { dtype: "f32", shape: [2] });
    const graph = builder.build([x, builder.rename(reduceSum(mul(x, y)), "energy")]);
    const objective = attachLoss(graph, { kind: "output", output: "energy" });
    expect(objective).toMatchObject({ examples: "x", targets: { name: "y" }, loss: "energy" });
    expect(objective.graph.outputs.map(({ name }) => name)).toEqual(["x", "energy"]);
  });

  const refusals: readonly (readonly [string, Graph, LossSpec, RegExp])[] = [
    [
      "logits of another batch",
      echo([3, 1], [4, 5]),
      crossEntropy,
      /logits must be \[3, classes\] or \[3, length, classes\]: "y" is \[4, 5\]/,
    ],
    ["logits of another rank", echo([3, 1], [3, 5, 2, 2]), crossEntropy, /"y" is \[3, 5, 2, 2\]/],
    [
      "outputs that are whole numbers",
      echo([3, 1], [3, 5], ["f32", "i64"]),
      crossEntropy,
      /floating-point: it is i64/,
    ],
    [
      "an output there is not",
      echo([3], [3]),
      { kind: "output", output: "z" },
      /have value "z": its outputs are "y"/,
    ],
    ["a loss of several numbers", echo([3], [3]), { kind: "output", output: "y" }, /one number: it is \[3\]/],
    [
      "an input there is not",
      echo([3], []),
      { kind: "output", output: "y", targets: "t" },
      /"t" as .* it has "x"/,
    ],
    ["examples that are no tokens", echo([3, 2], [3, 2, 5]), nextToken, /token ids \[N, L\].*f32 \[3, 2\]/],
    ["smoothing out of its range", echo([3, 1], [3, 5]), { ...crossEntropy, labelSmoothing: 1 }, /is 1$/],
  ];
  test.each(refusals)("refuses %s", (_, graph, spec, message) => {
    expect(() => attachLoss(graph, spec)).toThrow(message);
  });

  test("refuses several data inputs, an untyped graph and an unknown option", () => {
    const builder = new GraphBuilder("two", 21);
    const x = builder.input("x", { dtype: "f32", shape: [2, 3] });
    builder.input("z", { dtype: "f32", shape: [2, 3] });
    expect(() => attachLoss(builder.build([x]), crossEntropy)).toThrow(/one data input.*"x", "z"/);
    const { types: _, ...untyped } = echo([3, 1], [3, 5]);
    expect(() => attachLoss(untyped, crossEntropy)).toThrow(/specialize/);
    const typo = { kind: "cross-entropy", smoothing: 0.1 } as LossSpec;
    expect(() => attachLoss(echo([3, 1], [3, 5]), typo)).toThrow(/no option "smoothing"/);
    expect(() => attachLoss(echo([3, 1], [3, 5]), { kind: "hinge" } as never)).toThrow(/it is "hinge"/);
  });

  test("counts the positions whose labels count, and takes the mean over these", async () => {
    const logits = [2, 0, 0, 1, 3, 3, 0, 0];
    const feeds = {
      x: integers([0, 0, 0, 0], "i64", [2, 2]),
      w: floats([2, 2, 2], logits),
      labels: integers([0, 0, 1, 1], "i64", [2, 2]),
      targetWeights: floats([2, 2], [1, 1, 0, 1]),
    };
    const loss = (margin: number) => Math.log(1 + Math.exp(-margin));
    const expected = (loss(2) + loss(-1) + loss(0)) / 3;
    const graph = echo([2, 2], [2, 2, 2], ["i64", "f32"]);
    const weighted = await evaluate(graph, { kind: "cross-entropy", weighted: true }, feeds);
    expect(weighted).toEqual({ loss: expect.closeTo(expected, 6), correct: 1, counted: 3 });
    const all = await evaluate(graph, crossEntropy, feeds);
    expect(all).toMatchObject({ loss: expect.closeTo((3 * expected + loss(0)) / 4, 6), counted: 4 });
  });

  test("takes the input and the output that it is told, of several", async () => {
    const builder = new GraphBuilder("two", 21);
    const x = builder.input("x", { dtype: "f32", shape: [2, 3] });
    const z = builder.input("z", { dtype: "f32", shape: [2, 3] });
    const graph = builder.build([builder.rename(x, "first"), builder.rename(mul(z, 2), "second")]);
    const feeds = {
      x: floats([2, 3], [0, 0, 0, 0, 0, 0]),
      z: floats([2, 3], [9, 0, 0, 0, 9, 0]),
      labels: integers([0, 1], "i64", [2]),
    };
    const result = await evaluate(graph, { kind: "cross-entropy", examples: "z", logits: "second" }, feeds);
    expect(result["loss"]).toBeLessThan(1e-6);
    const first = await evaluate(graph, { kind: "cross-entropy", examples: "x", logits: "first" }, feeds);
    expect(first["loss"]).toBeCloseTo(Math.log(3), 6);
    expect(() => attachLoss(graph, { kind: "cross-entropy", examples: "x" })).toThrow(
      /"first" .* and "second" .* fit equally/,
    );
    expect(() => attachLoss(graph, { kind: "cross-entropy", examples: "y" })).toThrow(
      /"y" must be a data input.*"x", "z"/,
    );
  });

  test("reads token ids of 32 bits", async () => {
    const result = await evaluate(echo([1, 2], [1, 2, 2], ["i32", "f32"]), nextToken, {
      x: integers([1, 0], "i32", [1, 2]),
      w: floats([1, 2, 2], [0, 0, 0, 0]),
    });
    expect(result["loss"]).toBeCloseTo(Math.log(2), 6);
  });
});
