import { describe, expect, it } from "vitest";
import { readNetworkValue } from "../src/values-of-networks.ts";

describe("readNetworkValue()", () => {
  const networks = ["code", "plays"];

  it("takes a known name off a value, and leaves files and cues with = alone", () => {
    expect(readNetworkValue("plays=text:a.txt", networks)).toEqual({ network: 1, value: "text:a.txt" });
    for (const value of ["text:a=b.txt", "runs/a=b:c", "mnist+cue=place:0.9", "text:x,k=v", "a=b.onnx"])
      expect(readNetworkValue(value, networks)).toEqual({ network: undefined, value });
  });

  it("lists the networks if the name before a data set is of none", () => {
    for (const value of ["prose=text:a.txt", "prose=mnist", "prose=mnist@20"])
      expect(() => readNetworkValue(value, networks)).toThrow(/"prose" is none of code, plays$/);
  });
});
