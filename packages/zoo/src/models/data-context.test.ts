import { type Loss, scoreBy } from "@isthmus/graph";
import { expect, test } from "vitest";
import { parseNetwork } from "../short-string/parse-network.ts";
import { dataContext } from "./data-context.ts";

test("dataContext() says the shape of pictures that a graph takes, and none of other examples", () => {
  const graphOf = (spec: string, exampleShape: readonly number[]) => {
    const { graph } = parseNetwork(spec, { exampleShape, classes: 3 });
    return dataContext({ graph });
  };
  expect(graphOf("resnet8:w4", [3, 16, 16]).imageShape).toEqual([3, 16, 16]);
  expect(graphOf("mlp:4", [5])).not.toHaveProperty("imageShape");
});

test("dataContext() names the arrays of labels of outputs that have losses of their own", () => {
  const { graph } = parseNetwork("mlp:4", { exampleShape: [5], classes: 3 });
  expect(dataContext({ graph })).not.toHaveProperty("outputs");
  const [{ name = "" } = {}] = graph.outputs;
  const outputsOf = (loss: Loss) => dataContext({ graph: scoreBy(graph, loss) }).outputs;
  expect(outputsOf("cross-entropy")).toBeUndefined();
  expect(outputsOf({ [name]: "mean-squared-error" })).toEqual([name]);
  expect(outputsOf({ [name]: { loss: "cross-entropy", targets: "classes" } })).toEqual(["classes"]);
});
