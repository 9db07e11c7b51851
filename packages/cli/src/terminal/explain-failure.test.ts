import {
  DivergenceError,
  EngineError,
  FormatError,
  InputError,
  OutOfRangeError,
  UsageError,
} from "@isthmus/core";
import { describe, expect, it } from "vitest";
import { explainFailure } from "./explain-failure.ts";

describe("explainFailure()", () => {
  it("explainFailure() calls bad input wrong usage and a failed engine failed work", async () => {
    const input = new InputError('Cannot open "x" as it must exist: it is missing', { input: "x" });
    expect(await explainFailure(input)).toEqual({ message: input.message, exitCode: 2 });
    const format = new FormatError("Cannot read", { format: "safetensors" });
    expect((await explainFailure(format)).exitCode).toBe(2);
    expect((await explainFailure(new EngineError("Cannot run", { engine: "x" }))).exitCode).toBe(1);
    const diverged = new DivergenceError("Cannot go on", { step: 3, loss: Number.NaN });
    expect((await explainFailure(diverged)).exitCode).toBe(1);
  });

  it("explainFailure() writes out line breaks in names, and keeps the lines of lists", async () => {
    const input = new InputError('Cannot open "a\nb\r" as it must exist:\n  it is missing', {
      input: "x",
    });
    const { message } = await explainFailure(input);
    expect(message).toBe('Cannot open "a\\nb\\r" as it must exist:\n  it is missing');
  });

  it("explainFailure() tells our argument errors from mistakes in code by their class, not their wording", async () => {
    const message = "Cannot lerp as t must be in [0, 1]: it is 2";
    for (const ours of [new OutOfRangeError(message), new UsageError(message)])
      expect(await explainFailure(ours)).toEqual({ message, exitCode: 2 });
    const mistakes = [
      () => {
        throw new TypeError(message);
      },
      () => {
        throw new RangeError(message);
      },
      () => (undefined as unknown as { x: number }).x,
      () => {
        const { x } = undefined as unknown as { x: number };
        return x;
      },
      () => new Array(-1),
      () => BigInt(1.5),
    ];
    for (const mistake of mistakes) {
      let error: unknown;
      try {
        mistake();
      } catch (caught) {
        error = caught;
      }
      expect(await explainFailure(error)).toEqual({
        message: expect.stringMatching(/^Unexpected failure: /),
        exitCode: 1,
      });
    }
  });

  it("explainFailure() takes whatever was thrown", async () => {
    expect((await explainFailure("text")).message).toContain("text");
    expect((await explainFailure(undefined)).exitCode).toBe(1);
  });
});
