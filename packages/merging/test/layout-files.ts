import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { type Checkpoint, createCheckpoint, createTensor, sizeOf } from "@isthmus/core";

/** A single file of a diffusion model, and what diffusers makes of it. */
export interface LayoutCase {
  /** Names and shapes of a single file, packed. */
  readonly original: string;
  /** SHA-256 of the tensors of each folder, as diffusers converts them. */
  readonly parts: Readonly<Record<string, string>>;
}
const { cases } = JSON.parse(readFileSync(new URL("golden/layouts.json", import.meta.url), "utf8")) as {
  readonly cases: Readonly<Record<string, LayoutCase>>;
};

/** Cases by the names of architectures. */
export const LAYOUT_CASES: ReadonlyMap<string, LayoutCase> = new Map(Object.entries(cases));

type Tree = { readonly [word: string]: Tree | readonly number[] };

/** Lists names and shapes of nested objects. */
function* leavesOf(tree: Tree, before = ""): Generator<readonly [string, readonly number[]]> {
  for (const [word, inner] of Object.entries(tree)) {
    if (Array.isArray(inner)) yield [before + word, inner as readonly number[]];
    else yield* leavesOf(inner as Tree, `${before}${word}.`);
  }
}

const files = new Map<LayoutCase, Checkpoint>();

/** Makes the single file of a case, with a number of its own at nearly every place. */
export function fileOf(of: LayoutCase): Checkpoint {
  const file = files.get(of) ?? createFile(of);
  files.set(of, file);
  return file;
}

function createFile({ original }: LayoutCase): Checkpoint {
  const tree = JSON.parse(gunzipSync(Buffer.from(original, "base64")).toString()) as Tree;
  const sorted = [...leavesOf(tree)].sort(([a], [b]) => (a < b ? -1 : 1));
  return createCheckpoint(
    Object.fromEntries(
      sorted.map(([name, shape], i) => {
        const data = Float32Array.from({ length: sizeOf(shape) }, (_, j) => (10007 * i + j) % 2 ** 24);
        return [name, createTensor("f32", shape, data)];
      }),
    ),
  );
}
