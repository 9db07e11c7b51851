import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { type Graph, restrictOutputs } from "@isthmus/graph";
import { discoverContinuous, discoverSymmetries, proveSymmetries } from "@isthmus/symmetry";
import { describe, expect, test } from "vitest";
import { GraphBuilder } from "../../../test/helpers/graph-builder.ts";

const engine = createOnnxRuntimeEngine();

/** A network that returns its features, logits of 3 classes, and those of a second head of 5. */
function threeOutputs() {
  const b = new GraphBuilder();
  const features = b.op("Relu", [b.linear(b.input("x", [4]), "body", 4, 8)]);
  const [logits, second] = [b.linear(features, "head", 8, 3), b.linear(features, "second", 8, 5)];
  const graph = b.output(features).output(logits).output(second).build("three outputs");
  return { graph, features, logits, second };
}

async function examine(graph: Graph) {
  const permutations = await discoverSymmetries({ graph, engine });
  const beyond = await discoverContinuous({ graph, engine }, permutations);
  const proof = await proveSymmetries({ graph, engine }, permutations, { seed: 1, ...beyond });
  const axes = permutations.spec.symmetries.map((symmetry) =>
    symmetry.axes.map(({ tensor, axis }) => `${tensor}:${axis}`).join(" "),
  );
  return { axes, scaled: [...beyond.linear.scales.weights.keys()], shifts: beyond.mixing.shifts, proof };
}

describe("outputs that do not count", () => {
  const { graph, features, logits, second } = threeOutputs();

  test("of which the features keep all units in place while they count", async () => {
    expect(await examine(graph)).toMatchObject({ axes: [], scaled: [], shifts: [] });
  });

  test("let units move in all weights that read them, and the classes of a second head stay", async () => {
    for (const counted of [[logits], [logits, second]]) {
      const found = await examine(restrictOutputs(graph, counted));
      expect(found.axes).toEqual(["body.weight:1 body.bias:0 head.weight:0 second.weight:0"]);
      expect(found.scaled).toEqual(["body.weight", "body.bias", "head.weight", "second.weight"]);
      expect(found).toMatchObject({ shifts: [], proof: { passed: true, dropped: [] } });
    }
  });

  test("let units move that they show flattened", async () => {
    const b = new GraphBuilder();
    const image = b.op("Relu", [b.conv(b.input("x", [1, 2, 2]), "conv", [1, 6])]);
    const flat = b.reshape(image, 0, 24);
    const mean = b.reshape(b.op("GlobalAveragePool", [image]), 0, 6);
    const classes = b.linear(mean, "head", 6, 3);
    const built = b
      .output(classes)
      .output(b.linear(flat, "second", 24, 5))
      .output(flat)
      .build();
    const found = await examine(restrictOutputs(built, [classes]));
    expect(found.axes).toEqual(["conv.weight:0 conv.bias:0 head.weight:0 second.weight:0"]);
    expect(found.proof.passed).toBe(true);
  });

  test("are compared no more, while those that count are", async () => {
    const { proof } = await examine(restrictOutputs(graph, [second]));
    expect(proof).toMatchObject({ passed: true });
    const restricted = restrictOutputs(graph, [features, second]);
    expect((await examine(restricted)).axes).toEqual([]);
  });
});
