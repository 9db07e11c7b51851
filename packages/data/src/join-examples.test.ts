import { createTensor } from "@isthmus/core";
import { describe, expect, it } from "vitest";
import { createDataSet } from "./create-data-set.ts";
import { joinExamples } from "./join-examples.ts";

const part = (labels: number[]) =>
  createDataSet(
    createTensor(
      "f32",
      [labels.length, 2],
      Float32Array.from(labels.flatMap((label) => [label, label + 0.5])),
    ),
    Int32Array.from(labels),
    { name: "part" },
  );

describe("joinExamples()", () => {
  it("joinExamples() reads any range of the examples of all parts, one part after another", () => {
    const all = [3, 1, 2, 0, 5, 4];
    const joined = joinExamples([part([3, 1, 2]), part([0]), part([5, 4])], "joined");
    expect([joined.name, joined.size]).toEqual(["joined", 6]);
    for (let begin = 0; begin <= 6; begin++) {
      for (let end = begin; end <= 6; end++) {
        const { inputs, labels } = joined.read(begin, end);
        expect([...labels]).toEqual(all.slice(begin, end));
        expect([...inputs.data]).toEqual(all.slice(begin, end).flatMap((label) => [label, label + 0.5]));
      }
    }
  });

  it("joinExamples() refuses to join nothing", () => {
    expect(() => joinExamples([], "none")).toThrow(/Cannot join examples to "none" as there must be some/);
  });
});
