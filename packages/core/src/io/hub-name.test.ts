import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatHubName, parseHubName } from "./hub-name.ts";

const word = fc.stringMatching(/^[A-Za-z0-9][\w-]{0,8}$/);

describe("parseHubName()", () => {
  it("reads what formatHubName() writes", () => {
    const name = fc.tuple(word, word).map((parts) => parts.join("/"));
    const file = fc.option(
      fc.array(word, { minLength: 1, maxLength: 3 }).map((parts) => `${parts.join("/")}.gguf`),
      { nil: undefined },
    );
    fc.assert(
      fc.property(fc.record({ name, revision: word, file }), (hub) => {
        expect(parseHubName(formatHubName(hub))).toEqual(hub);
      }),
    );
  });

  it("reads models without an owner, and leaves other paths alone", () => {
    expect(parseHubName("hub:gpt2")).toEqual({ name: "gpt2", revision: "main", file: undefined });
    for (const path of ["gpt2", "owner/model", "./hub:x", "HUB:x", ""])
      expect(parseHubName(path)).toBeUndefined();
  });

  it("refuses names, files and revisions that lead elsewhere", () => {
    for (const path of [
      "hub:",
      "hub:/etc/passwd",
      "hub:../x/y",
      "hub:a/..",
      "hub:a/b/../c",
      "hub:a/b/.hidden",
      "hub:a/b@../../x",
      "hub:a/b@",
      "hub:a/b@x@y",
      "hub:a//b",
      "hub:a\\b",
      "hub:a/b?x",
      `hub:a/${"b".repeat(2000)}`,
    ])
      expect(() => parseHubName(path), path).toThrow(/must be written as hub:owner\/model/);
  });
});
