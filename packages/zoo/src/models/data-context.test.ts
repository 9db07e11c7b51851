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
