// Trains small networks on a device, and prints as JSON what came out, and what was copied on the way.
//
//   node --conditions=@isthmus/source --import tsx packages/engine/test/devices/train-families.ts DEVICE NET...
import { createRequire } from "node:module";
import { createTextDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import type { DeviceName } from "@isthmus/graph";
import { train } from "@isthmus/training";
import { parseNetwork } from "@isthmus/zoo";
import type * as OnnxRuntime from "onnxruntime-node";
import { markovText } from "../../../../test/helpers/markov-text.ts";
import { randomExamples } from "../../../../test/helpers/random-examples.ts";

/** Losses of one training on a device, its copies, and the places where its nodes ran. */
export interface TrainedFamily {
  readonly net: string;
  /** Loss of each epoch, then that of the evaluation if there was one. */
  readonly losses: readonly number[];
  /** Names of the inputs that were copied to the device in any step but the first. */
  readonly fed: readonly string[];
  /** Names of the outputs that were copied back in any step but the first. */
  readonly returned: readonly string[];
  /** Nodes of the step that ran on the device, and operators that did not. */
  readonly placed: { readonly onDevice: number; readonly onProcessor: Readonly<Record<string, number>> };
}

const [device = "cpu", ...nets] = process.argv.slice(2);
const EXAMPLES = 24;

const fromHere = createRequire(import.meta.url);
const onnxruntime = fromHere("onnxruntime-node") as typeof OnnxRuntime;

/** Names of what crosses between host and device in the runs of sessions that keep outputs on the device. */
let crossed: { readonly fed: string[]; readonly returned: string[] }[] = [];
const { create } = onnxruntime.InferenceSession;
Object.assign(onnxruntime.InferenceSession, {
  async create(model: Uint8Array, options: OnnxRuntime.InferenceSession.SessionOptions) {
    const session = await create(model, options);
    if (options.preferredOutputLocation === undefined) return session;
    const { run } = session;
    session.run = (async (...args: Parameters<typeof run>) => {
      const outputs = await run.apply(session, args);
      const here = (tensors: OnnxRuntime.InferenceSession.OnnxValueMapType) =>
        Object.keys(tensors).filter((name) => tensors[name]?.location === "cpu");
      crossed.push({ fed: here(args[0]), returned: here(outputs) });
      return outputs;
    }) as typeof run;
    return session;
  },
});

function dataFor(net: string) {
  if (!/^(gpt|llama)/.test(net)) return randomExamples([1, 16, 16], { size: EXAMPLES, classes: 4 });
  return createTextDataSet(markovText(16 * EXAMPLES, 0), { context: 16, limit: EXAMPLES });
}

const results: TrainedFamily[] = [];
for (const net of nets) {
  crossed = [];
  const placed: TrainedFamily["placed"][] = [];
  const engine = createOnnxRuntimeEngine({
    device: device as DeviceName,
    onPlacement: ({ onDevice, onProcessor }) =>
      placed.push({ onDevice, onProcessor: Object.fromEntries(onProcessor) }),
  });
  const data = dataFor(net);
  const { graph, initialize } = parseNetwork(net, data);
  const { result } = await train({ graph, engine }, initialize(0), data, {
    seed: 0,
    epochs: 2,
    batch: 8,
    // Steps so small that rounding stays rounding.
    schedule: { kind: "constant", learningRate: 1e-3 },
    ...(net.startsWith("mlp") && { evaluationData: data }),
  });
  // The first run of a training copies weights to the device, and is not counted.
  const later = crossed.filter(({ fed }) => fed.length > 0).slice(2);
  results.push({
    net,
    losses: [
      ...result.epochs.map(({ loss }) => loss),
      ...(result.evaluation ? [result.evaluation.loss] : []),
    ],
    fed: [...new Set(later.flatMap(({ fed }) => fed))],
    returned: [...new Set(later.flatMap(({ returned }) => returned))],
    placed: placed.toSorted((a, b) => b.onDevice - a.onDevice)[0] ?? {
      onDevice: 0,
      onProcessor: {},
    },
  });
}
process.stdout.write(JSON.stringify(results));
