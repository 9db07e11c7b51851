import { InputError } from "@isthmus/core";
import { expect, test } from "vitest";
import { GraphBuilder } from "../../../../test/helpers/graph-builder.ts";
import { restrictOutputs } from "./restrict-outputs.ts";

const b = new GraphBuilder();
const features = b.op("Relu", [b.linear(b.input("x", [4]), "one", 4, 8)]);
const graph = b
  .output(features)
  .output(b.linear(features, "two", 8, 3))
  .build("two outputs");
const [one, two] = graph.outputs;

test("restrictOutputs() keeps the named outputs in the order of the graph, and all nodes and weights", () => {
  const kept = restrictOutputs(graph, [two?.name ?? ""]);
  expect(kept).toEqual({ ...graph, outputs: [two], uncounted: [one?.name] });
  expect(restrictOutputs(graph, [two?.name ?? "", one?.name ?? ""])).toEqual(graph);
});

test("restrictOutputs() refuses a name that is no output, and no names, and lists the outputs", () => {
  expect(() => restrictOutputs(graph, ["logits"])).toThrow(InputError);
  expect(() => restrictOutputs(graph, ["logits"])).toThrow(
    /Cannot count output "logits" .*they are "Relu\.\d+:0", "Add/,
  );
  expect(() => restrictOutputs(graph, [])).toThrow(InputError);
});
