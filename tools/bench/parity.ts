// Whether networks compute here what they compute in PyTorch, and whether both files of a network are equal.
//
//   npx tsx --conditions=@isthmus/source tools/bench/parity.ts FOLDER...
//
// A folder holds graph.onnx, NAME.safetensors, NAME-parity.safetensors (x, logits) and, for some, NAME.pt.
// Prints one JSON object for each network.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { openCheckpoint, toFloat32, viewBytes } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { bindWeights, readGraph } from "@isthmus/graph";

async function sameBits(one: string, two: string): Promise<boolean> {
  const [a, b] = [await openCheckpoint(one), await openCheckpoint(two)];
  try {
    if (a.tensors.size !== b.tensors.size) return false;
    for (const name of a.tensors.keys()) {
      const [x, y] = [await a.read(name), await b.read(name)];
      const same = x.dtype === y.dtype && x.shape.join() === y.shape.join();
      if (!same || Buffer.compare(viewBytes(x.data), viewBytes(y.data)) !== 0) return false;
    }
    return true;
  } finally {
    await Promise.all([a.close(), b.close()]);
  }
}

async function logitsError(folder: string, name: string): Promise<number> {
  const { graph } = await readGraph(join(folder, "graph.onnx"));
  const network = await openCheckpoint(join(folder, `${name}.safetensors`));
  const parity = await openCheckpoint(join(folder, `${name}-parity.safetensors`));
  const session = await createOnnxRuntimeEngine().load(graph);
  try {
    const feeds = await bindWeights(graph, network);
    const results = await session.run(feeds.set(graph.inputs[0]?.name ?? "", await parity.read("x")));
    const got = results.get(graph.outputs[0]?.name ?? "");
    const wanted = await parity.read("logits");
    if (got === undefined) return Number.NaN;
    const expected = toFloat32(wanted.data, wanted.dtype);
    return toFloat32(got.data, got.dtype).reduce(
      (max, x, i) => Math.max(max, Math.abs(x - (expected[i] ?? 0))),
      0,
    );
  } finally {
    await Promise.all([session.release(), network.close(), parity.close()]);
  }
}

for (const folder of process.argv.slice(2)) {
  const names = readdirSync(folder).flatMap((file) => /^(.+)-parity\.safetensors$/.exec(file)?.[1] ?? []);
  for (const name of names) {
    const pt = join(folder, `${name}.pt`);
    const equal = existsSync(pt) ? await sameBits(pt, join(folder, `${name}.safetensors`)) : undefined;
    console.log(
      JSON.stringify({
        folder,
        name,
        maxAbsoluteError: await logitsError(folder, name),
        ptEqualsSafetensors: equal,
      }),
    );
  }
}
