// Fuses networks of two widths both ways: accuracy and loss of each alone, of naive padding and truncation, and of
// fusions by optimal transport.
//
//   for s in 0 1; do for w in 256 512; do
//     npx isthmus train --net mlp:${w}x2 --data mnist --epochs 4 --seed $s -o mlp$w-s$s.safetensors; done; done
//   npx tsx --conditions=@isthmus/source tools/bench/fuse-widths.ts mlp256-s0.safetensors mlp512-s1.safetensors
//     [--train mnist:train] [--test mnist:test] [--examples 10000] [--weights 0.5] [--regularizations 0.1,0.03,0.01,0.003]
//
// The graph of each network lies beside it, as .onnx. Prints one JSON object for each network; all are deterministic. Units are
// matched on training examples only; loss and accuracy are of the test set. "repair" gives every layer of a fusion the means
// and deviations of the transported and the target network.
import { parseArgs } from "node:util";
import { type Checkpoint, createCheckpoint, createTensor, openCheckpoint, toFloat64 } from "@isthmus/core";
import { openDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { type FuseNetworksOptions, fuseNetworks } from "@isthmus/fusion";
import { createClassifier, createEvaluator, readGraph } from "@isthmus/graph";
import { correctStatistics } from "@isthmus/statistics";
import { discoverSymmetries } from "@isthmus/symmetry";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    train: { type: "string", default: "mnist:train" },
    test: { type: "string", default: "mnist:test" },
    examples: { type: "string", default: "10000" },
    weights: { type: "string", default: "0.5" },
    regularizations: { type: "string", default: "0.1,0.03,0.01,0.003" },
  },
});
const [first, second] = positionals;
if (first === undefined || second === undefined) {
  console.error("usage: fuse-widths.ts A.safetensors B.safetensors [options]");
  process.exit(2);
}

const engine = createOnnxRuntimeEngine();
const [train, test] = [await openDataSet(values.train), await openDataSet(values.test)];
const numbers = (text: string) => text.split(",").map(Number);

async function openNetwork(path: string) {
  const { graph } = await readGraph(path.replace(/\.safetensors$/, ".onnx"));
  const network = await openCheckpoint(path);
  const symmetries = await discoverSymmetries({ graph, engine });
  const evaluator = await createEvaluator({ graph, engine }, test);
  return { path, graph, engine, network, symmetries, evaluator };
}
type Opened = Awaited<ReturnType<typeof openNetwork>>;

const round = (value: number) => Number(value.toFixed(4));

async function score({ evaluator }: Opened, network: Checkpoint) {
  const { loss, error } = await evaluator.evaluate(network);
  return { accuracy: round(1 - error), loss: round(loss) };
}

const print = (row: object) => console.log(JSON.stringify(row));

/** The target averaged with the first units of the source; missing units count as 0. */
async function cropAndPad(source: Opened, target: Opened, weight: number): Promise<Checkpoint> {
  const tensors = new Map<string, ReturnType<typeof createTensor>>();
  for (const [name, { shape, dtype }] of target.network.tensors) {
    const a = await source.network.read(name);
    const b = await target.network.read(name);
    const [from, to] = [toFloat64(a.data, a.dtype), toFloat64(b.data, dtype)];
    const columns = shape.length === 2 ? (shape[1] ?? 1) : 1;
    const width = a.shape.length === 2 ? (a.shape[1] ?? 1) : 1;
    const mixed = Float32Array.from(to, (value, k) => {
      const [i, j] = [Math.floor(k / columns), k % columns];
      const other = i < (a.shape[0] ?? 0) && j < width ? (from[i * width + j] ?? 0) : 0;
      return weight * other + (1 - weight) * value;
    });
    tensors.set(name, createTensor("f32", [...shape], mixed));
  }
  return createCheckpoint(tensors);
}

/** The mean of both networks' class probabilities. */
async function scoreEnsemble(networks: readonly Opened[]) {
  const { labels } = test.read(0, test.size);
  const all: Float64Array[] = [];
  for (const opened of networks) {
    const classifier = await createClassifier(opened, test);
    all.push((await classifier.classify(opened.network)).probabilities);
    await classifier.release();
  }
  const classes = (all[0]?.length ?? 0) / test.size;
  let [right, loss] = [0, 0];
  for (let example = 0; example < test.size; example++) {
    const means = Array.from({ length: classes }, (_, c) =>
      all.reduce((sum, of) => sum + (of[example * classes + c] ?? 0) / all.length, 0),
    );
    const label = Number(labels[example]);
    if (means.indexOf(Math.max(...means)) === label) right++;
    loss -= Math.log(means[label] ?? 0);
  }
  return { accuracy: round(right / test.size), loss: round(loss / test.size) };
}

const methods: FuseNetworksOptions[] = [
  { method: "weight" },
  { method: "activation", data: train, cost: "distance" },
  { method: "activation", data: train, cost: "correlation" },
];
const plans: FuseNetworksOptions[] = [
  { plan: "hard" },
  { plan: "balanced" },
  ...numbers(values.regularizations).map((regularization) => ({ plan: "soft", regularization }) as const),
];

async function fuseAll(source: Opened, target: Opened): Promise<void> {
  const pair = { source: source.path, target: target.path };
  for (const weight of numbers(values.weights)) {
    print({
      ...pair,
      kind: "padded or truncated",
      weight,
      ...(await score(target, await cropAndPad(source, target, weight))),
    });
    for (const method of methods) {
      for (const plan of plans) {
        const started = performance.now();
        const options = { ...method, ...plan, weight, examples: Number(values.examples) };
        const { fused, transported, distance, sweeps, status, symmetries } = await fuseNetworks(
          source,
          target,
          options,
        );
        const seconds = round((performance.now() - started) / 1000);
        const networks = [transported, target.network];
        const repaired = await correctStatistics(target, fused, await openDataSet(`${values.train}@2500`), {
          ...{ statistics: "repair", networks, weights: [weight, 1 - weight] },
        });
        print({
          ...{ ...pair, kind: "fused", weight, method: method.method, cost: method.cost, ...plan },
          ...(await score(target, fused)),
          repaired: await score(target, repaired),
          transported: await score(target, transported),
          ...{ distance: round(distance), sweeps, status, seconds },
          plans: symmetries.map(({ name, partners, isConverged, iterations }) => ({
            ...{ name, isConverged, iterations },
            partners: [round(partners.source.mean), round(partners.target.mean)],
          })),
        });
      }
    }
  }
}

const [a, b] = [await openNetwork(first), await openNetwork(second)];
for (const single of [a, b])
  print({ network: single.path, kind: "single", ...(await score(single, single.network)) });
print({ kind: "ensemble", ...(await scoreEnsemble([a, b])) });
await fuseAll(a, b);
await fuseAll(b, a);
for (const { evaluator, network } of [a, b]) {
  await evaluator.release();
  await network.close();
}
