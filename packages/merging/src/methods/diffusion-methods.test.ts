import { readFileSync } from "node:fs";
import { type Checkpoint, createCheckpoint, createTensor, viewData } from "@isthmus/core";
import { expect, test } from "vitest";
import { merge } from "../merge.ts";
import { MERGE_METHODS } from "../methods.ts";

/** A merge by sd-mecha 1.1.8, made by tools/golden/diffusion-methods.py; tensors are f32 in base64. */
interface Golden {
  readonly method: string;
  readonly alpha: number;
  readonly shape: readonly number[];
  readonly a: string;
  readonly b: string;
  readonly c: string;
  readonly result: string;
}
const file = new URL("../../test/golden/diffusion-methods.json", import.meta.url);
const goldens: readonly Golden[] = JSON.parse(readFileSync(file, "utf8"));

const decode = (text: string) => viewData("f32", Uint8Array.from(Buffer.from(text, "base64")));

test.each(
  goldens.map((golden) => [`${golden.method} of [${golden.shape}], alpha ${golden.alpha}`, golden] as const),
)("%s is what sd-mecha makes", async (_, { method: name, alpha, shape, a, b, c, result }) => {
  const network = (text: string): Checkpoint =>
    createCheckpoint({ w: createTensor("f32", shape, decode(text)) });
  const method = MERGE_METHODS.get(name)!;
  const based = method.networks.base === "required" ? { base: network(c) } : {};
  const merged = merge([network(a), network(b)], { method, parameters: { alpha }, ...based });
  const { data } = await merged.read("w");
  // Numbers are below 4, and some are differences of such that are rounded to f32 first.
  for (const [i, x] of decode(result).entries())
    expect(Math.abs(Number(data[i]) - Number(x))).toBeLessThan(1e-6);
});
