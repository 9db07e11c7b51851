import { describe, expect, it } from "vitest";
import { nameTrainingFiles } from "./training-files.ts";

describe("nameTrainingFiles()", () => {
  it("nameTrainingFiles() puts graph and state beside the checkpoint", () => {
    expect(nameTrainingFiles({ output: "out/a.b.safetensors" })).toEqual({
      checkpoint: "out/a.b.safetensors",
      graph: "out/a.b.onnx",
      state: "out/a.b.state.safetensors",
    });
  });

  it("nameTrainingFiles() writes no graph that is there already, unless it is asked to", () => {
    const files = { output: "a.safetensors", graph: "g.onnx" };
    expect(nameTrainingFiles(files).graph).toBeUndefined();
    expect(nameTrainingFiles({ ...files, saveGraph: "h.onnx" }).graph).toBe("h.onnx");
  });

  it("nameTrainingFiles() refuses other endings, and one name for two files", () => {
    expect(() => nameTrainingFiles({ output: "a.pt" })).toThrow(/ending in \.safetensors: it is "a\.pt"/);
    for (const saveGraph of ["a.safetensors", "./a.state.safetensors"]) {
      expect(() => nameTrainingFiles({ output: "a.safetensors", saveGraph })).toThrow(
        /must go to different files/,
      );
    }
  });
});
