import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { discoverOnce, discoverSymmetries } from "@isthmus/symmetry";
import { expect, it } from "vitest";
import { GraphBuilder } from "../../../test/helpers/graph-builder.ts";

it("discoverOnce() says that it starts when it is first called, and returns the same symmetries from then on", async () => {
  const b = new GraphBuilder();
  const hidden = b.op("Relu", [b.linear(b.input("x", [3]), "in", 3, 4)]);
  const architecture = {
    graph: b.output(b.linear(hidden, "out", 4, 2)).build(),
    engine: createOnnxRuntimeEngine(),
  };
  let starts = 0;
  const symmetries = discoverOnce(architecture, {}, () => starts++);
  expect(starts).toBe(0);
  const [first, second] = await Promise.all([symmetries(), symmetries()]);
  expect(first).toBe(second);
  expect(starts).toBe(1);
  expect(first.spec).toEqual((await discoverSymmetries(architecture)).spec);
});
