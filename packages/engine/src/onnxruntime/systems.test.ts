import { describe, expect, it } from "vitest";
import { whyNoNative } from "./systems.ts";

describe("whyNoNative()", () => {
  it.each([
    ["darwin", "x64", true, "onnxruntime has no native library for darwin-x64"],
    ["freebsd", "x64", true, "onnxruntime has no native library for freebsd-x64"],
    ["linux", "x64", false, "the native library of onnxruntime needs glibc, which this system does not use"],
    ["linux", "arm64", true, undefined],
    ["darwin", "arm64", false, undefined],
    ["win32", "x64", false, undefined],
  ])("of %s %s, with glibc: %s", (platform, arch, hasGlibc, why) => {
    expect(whyNoNative({ platform, arch }, () => hasGlibc)).toBe(why);
  });
});
