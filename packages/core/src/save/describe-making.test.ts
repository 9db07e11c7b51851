import { describe, expect, it } from "vitest";
import { createCheckpoint } from "../checkpoint/create-checkpoint.ts";
import { describeMaking, sharedMetadata } from "./describe-making.ts";

const network = (source: string, metadata: Record<string, string>) => ({
  ...createCheckpoint(new Map()),
  source,
  metadata,
});

describe("describeMaking(), sharedMetadata()", () => {
  it("describeMaking() does not depend on where files lie", () => {
    const making = { verb: "merge", version: "1.2.3", weights: [1, 2] };
    const here = describeMaking([network("/here/a.pt", {}), network("/here/b.pt", {})], making);
    const there = describeMaking([network("a.pt", {}), network("/there/b.pt", {})], making);
    expect(here).toEqual(there);
    expect(JSON.parse(here["isthmus"] ?? "")).toEqual({ ...making, inputs: ["a.pt", "b.pt"] });
  });

  it("sharedMetadata() keeps the format and not what is true of one network only", () => {
    expect(sharedMetadata(network("a", { format: "pt", seed: "0" }))).toEqual({ format: "pt" });
    expect(sharedMetadata(network("a", { seed: "0" }))).toEqual({});
  });
});
