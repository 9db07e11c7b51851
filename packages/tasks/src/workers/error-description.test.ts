import {
  DivergenceError,
  EngineError,
  FormatError,
  InputError,
  isIsthmusError,
  isUsageError,
  MismatchError,
  OutOfRangeError,
  UnsupportedError,
  UsageError,
} from "@isthmus/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { describeError, reviveError } from "./error-description.ts";

/** Sends an error as a message to a thread is sent. */
const send = (error: unknown): Error => reviveError(structuredClone(describeError(error)));

const CREATORS: readonly ((message: string) => Error)[] = [
  (message) => new FormatError(message, { format: "zip" }),
  (message) => new UnsupportedError(message, { feature: "Loop" }),
  (message) => new MismatchError(message, { parameters: ["a", "b"] }),
  (message) => new InputError(message, { input: "x.safetensors" }),
  (message) => new EngineError(message, { engine: "onnxruntime" }),
  (message) => new DivergenceError(message, { step: 3, loss: Number.NaN }),
  (message) => new UsageError(message),
  (message) => new OutOfRangeError(message),
  (message) => new TypeError(message),
  (message) => new RangeError(message),
  (message) => new SyntaxError(message),
  (message) => new Error(message),
];

describe("describeError(), reviveError()", () => {
  it("reviveError() makes an error of the same class, with its message, stack and properties", () => {
    fc.assert(
      fc.property(fc.constantFrom(...CREATORS), fc.string(), (create, message) => {
        const error = create(message);
        const revived = send(error);
        expect(revived.constructor).toBe(error.constructor);
        expect([revived.name, revived.message, revived.stack]).toEqual([
          error.name,
          error.message,
          error.stack,
        ]);
        expect({ ...revived }).toEqual({ ...error });
        expect(isUsageError(revived)).toBe(isUsageError(error));
        expect(isIsthmusError(revived)).toBe(isIsthmusError(error));
      }),
    );
  });

  it("describeError() describes what cannot be sent as it is", () => {
    const cause = () => 0;
    const revived = send(new InputError("Cannot open", { input: "x", cause }));
    expect(revived).toBeInstanceOf(InputError);
    expect(revived.cause).toBeUndefined();
    const aborted = send(new DOMException("Stopped", "AbortError"));
    expect([aborted.name, aborted.message]).toEqual(["AbortError", "Stopped"]);
    expect([send("text").message, send(undefined).message]).toEqual(["text", "undefined"]);
    expect(send("text")).toBeInstanceOf(Error);
  });
});
