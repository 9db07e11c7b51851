import { fileURLToPath } from "node:url";
import { type Checkpoint, entry, type Tensor } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { bindNetworks, bindWeights, type Graph, readGraph, verifyBinding } from "@isthmus/graph";
import { discoverSymmetries, permute, randomAlignment, verifySymmetries } from "@isthmus/symmetry";
import { describe, expect, test } from "vitest";
import { describeSizes } from "../../../test/helpers/describe-symmetries.ts";
import { openFilesOf } from "../../../test/helpers/open-files.ts";

const engine = createOnnxRuntimeEngine();

const FOLDER = fileURLToPath(new URL("../../../test/fixtures/exported-networks/", import.meta.url));
const pathOf = (name: string): string => `${FOLDER}${name}`;

/** Opens a file that `golden/generate-exported-networks.py` wrote. */
const openFile = openFilesOf(FOLDER);

const NETWORKS = ["conv-norm", "linear-norm", "encoder", "class-token"];
const EXPORTS = [
  "dynamo",
  "dynamo-fixed",
  "dynamo-unoptimized",
  "legacy",
  "legacy-unfolded",
  "legacy-inputs",
  "legacy-training",
];

/** Inputs `[4, 1, 8, 8]` in batches of 2, as some graphs take no others, and PyTorch's logits `[4, 5]` for each seed. */
async function readParity(name: string) {
  const file = await openFile(`${name}-parity.safetensors`);
  const read = async (tensor: string) => (await file.read(tensor)).data as Float32Array;
  return { x: await read("x"), y: [await read("y0"), await read("y1")] as const };
}

/** Logits of all four inputs. */
async function run(graph: Graph, network: Checkpoint, x: Float32Array): Promise<number[]> {
  const session = await engine.load(graph);
  try {
    const logits: number[] = [];
    for (let begin = 0; begin < 4; begin += 2) {
      const inputs: Tensor = {
        dtype: "f32",
        shape: [2, 1, 8, 8],
        data: x.subarray(begin * 64, (begin + 2) * 64),
      };
      const outputs = await session.run((await bindWeights(graph, network)).set("input", inputs));
      logits.push(...(entry(outputs, "output").data as Float32Array));
    }
    return logits;
  } finally {
    await session.release();
  }
}

/** Largest difference of two lists, relative to the largest number of the second. */
function distance(actual: readonly number[], expected: ArrayLike<number>): number {
  const largest = Math.max(...Array.from(expected, Math.abs));
  return Math.max(...actual.map((value, i) => Math.abs(value - (expected[i] as number)))) / largest;
}

describe.each(NETWORKS)("the exports of %s", (name) => {
  test.each(EXPORTS)(
    "%s computes what PyTorch does, for both seeds and however they are permuted",
    async (kind) => {
      const decoded = await readGraph(pathOf(`${name}-${kind}.onnx`));
      const [zero, one] = [await openFile(`${name}-0.pt`), await openFile(`${name}-1.pt`)];
      // The graph was exported from seed 0; seed 1 stands first, as one does not know.
      const bound = await bindNetworks(decoded, [one, zero]);
      expect(await verifyBinding(decoded, bound, engine, { seed: 1 })).toBeOneOf([
        undefined,
        expect.closeTo(0, 5),
      ]);
      const { x, y } = await readParity(name);
      const { spec } = await discoverSymmetries({ graph: bound.graph, engine });
      const proof = await verifySymmetries({ graph: bound.graph, engine }, spec, { seed: 3 });
      expect(proof.firstFailure).toBeUndefined();
      for (const [place, seed] of [1, 0].entries()) {
        const { network, restore, reread } = bound.networks[place] as (typeof bound.networks)[number];
        const expected = y[seed as 0 | 1];
        expect(distance(await run(bound.graph, network, x), expected)).toBeLessThan(2e-6);
        const permuted = restore(permute(randomAlignment(spec, seed + 5), network, spec));
        const saved = seed === 0 ? zero : one;
        expect([...permuted.tensors]).toEqual([...saved.tensors]);
        expect(distance(await run(bound.graph, reread(permuted), x), expected)).toBeLessThan(2e-6);
      }
    },
  );

  test("all exporters lead to the same symmetries", async () => {
    const counts = await Promise.all(
      EXPORTS.map(async (kind) => {
        const decoded = await readGraph(pathOf(`${name}-${kind}.onnx`));
        const { graph } = await bindNetworks(decoded, [await openFile(`${name}-0.pt`)]);
        const { spec } = await discoverSymmetries({ graph, engine });
        return `${kind}: ${describeSizes(spec).join(", ")}`;
      }),
    );
    expect(new Set(counts.map((line) => line.replace(/^.*: /, ""))).size, counts.join("\n")).toBe(1);
  });
});
