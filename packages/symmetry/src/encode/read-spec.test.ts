import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FormatError, InputError, MismatchError } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readSpec } from "./decode-spec.ts";

const SPEC = {
  format: "isthmus-symmetries",
  version: 1,
  symmetries: [{ name: "channels", size: 4 }],
  weights: { "conv.weight": { shape: [4, 3], fields: [{ axes: [0], units: "channels" }] } },
};

/** A graph with one weight of a shape. */
const graphOf = (shape: readonly number[]): Graph =>
  ({ name: "net", weights: new Map([["conv.weight", { dtype: "f32", shape }]]) }) as unknown as Graph;

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-read-spec-"));
  path = join(folder, "spec.json");
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("readSpec()", () => {
  it("readSpec() reads symmetries that fit the graph", async () => {
    writeFileSync(path, JSON.stringify(SPEC));
    const { symmetries, weights } = await readSpec(path, graphOf([4, 3]));
    expect(symmetries).toMatchObject([{ name: "channels", size: 4 }]);
    expect([...weights.keys()]).toEqual(["conv.weight"]);
  });

  it("readSpec() refuses a missing file, other JSON, and symmetries of another graph", async () => {
    await expect(readSpec(path, graphOf([4, 3]))).rejects.toBeInstanceOf(InputError);
    writeFileSync(path, JSON.stringify({ ...SPEC, symmetries: [{ name: "channels", size: -1 }] }));
    const broken: unknown = await readSpec(path, graphOf([4, 3])).catch((error: unknown) => error);
    expect(broken).toBeInstanceOf(FormatError);
    expect(String(broken)).toContain(path);
    writeFileSync(path, JSON.stringify(SPEC));
    await expect(readSpec(path, graphOf([5, 3]))).rejects.toBeInstanceOf(MismatchError);
  });
});
