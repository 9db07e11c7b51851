import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { parseNetwork } from "@isthmus/zoo";
import { describe, expect, it } from "vitest";
import { rememberStep } from "../src/train/prepare-steps.ts";

const { graph } = parseNetwork("mlp:4", { exampleShape: [3], classes: 2 });
const options = { batch: 5, loss: { kind: "cross-entropy" }, optimizer: { kind: "sgd" } } as const;

describe("rememberStep()", () => {
  it("rememberStep() makes a step once for each engine, graph and options", async () => {
    const engine = createOnnxRuntimeEngine();
    const step = await rememberStep(graph, engine, options);
    expect(await rememberStep(graph, engine, { ...options })).toBe(step);
    expect(await rememberStep(graph, engine, { ...options, signal: new AbortController().signal })).toBe(
      step,
    );
    const others = [
      await rememberStep(graph, engine, { ...options, batch: 6 }),
      await rememberStep(graph, engine, { ...options, proximal: { mu: 0.1 } }),
      await rememberStep(graph, engine, { ...options, proximal: { mu: 0.2 } }),
      await rememberStep(graph, engine, { ...options, corrected: true }),
      await rememberStep(graph, createOnnxRuntimeEngine(), options),
      await rememberStep({ ...graph }, engine, options),
    ];
    expect(new Set([step, ...others]).size).toBe(7);
  });

  it("rememberStep() forgets what failed", async () => {
    const engine = createOnnxRuntimeEngine();
    const aborted = AbortSignal.abort();
    await expect(rememberStep(graph, engine, { ...options, signal: aborted })).rejects.toThrow(/abort/i);
    expect((await rememberStep(graph, engine, options)).batch).toBe(5);
  });
});
