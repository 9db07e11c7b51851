import {
  byteLengthOf,
  createCheckpoint,
  createRandom,
  createTensor,
  EngineError,
  entry,
  type Tensor,
} from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { createEvaluator, type DataSet, type Engine, type LoadOptions, randomWeights } from "@isthmus/graph";
import { type OptimizerSpec, train } from "@isthmus/training";
import { parseNetwork } from "@isthmus/zoo";
import { describe, expect, it } from "vitest";
import { randomExamples } from "../../../test/helpers/random-examples.ts";
import { fittingEngine } from "../src/devices/fitting-engine.ts";

const processor = createOnnxRuntimeEngine();

/** A device that holds tensors, and takes none above a limit; `largest` is the largest that it took. */
function deviceOf(limit: number) {
  const taken = { largest: 0, loads: 0 };
  const take = (tensors: Iterable<Pick<Tensor, "dtype" | "shape">>) => {
    for (const tensor of tensors) {
      const bytes = byteLengthOf(tensor);
      if (bytes > limit) {
        const cause = new Error(`Buffer size (${bytes}) exceeds the max buffer size limit (${limit}).`);
        throw new EngineError(`Cannot run: ${bytes} bytes are too many`, { engine: "fake", cause });
      }
      taken.largest = Math.max(taken.largest, bytes);
    }
  };
  const engine: Engine = {
    name: "onnxruntime-fake",
    async load(graph, { carried = new Map(), ...options }: LoadOptions = {}) {
      taken.loads += 1;
      const session = await processor.load(graph, options);
      const held = new Map<string, Tensor>();
      return {
        async run(feeds, out) {
          take([...feeds.values(), ...(graph.types?.values() ?? [])]);
          const results = await session.run(new Map([...held, ...feeds]));
          take(results.values());
          for (const [output, input] of carried) held.set(input, entry(results, output, "output"));
          const returned = [...results].filter(([name]) => !carried.has(name));
          for (const [name, { data }] of returned) out?.get(name)?.data.set(data as never);
          return new Map(returned);
        },
        memory: {
          async hold(tensors) {
            take(tensors.values());
            for (const [name, { dtype, shape, data }] of tensors)
              held.set(name, createTensor(dtype, shape, data.slice() as Tensor["data"]));
          },
          async readInto(tensors) {
            for (const [name, { data }] of tensors) data.set(entry(held, name, "tensor").data as never);
          },
        },
        release: () => session.release(),
      };
    },
  };
  return { engine, taken };
}

const IMAGES = randomExamples([1, 12, 12], { size: 12, classes: 5 });
/** Texts of many tokens, whose tables and logits are larger than all else. */
const TEXTS: DataSet = {
  name: "texts",
  size: 12,
  exampleShape: [4],
  classes: 211,
  labelling: "next",
  read(begin, end) {
    const random = createRandom(0, "texts");
    const tokens = Int32Array.from({ length: 4 * 12 }, () => random.integer(211)).subarray(
      4 * begin,
      4 * end,
    );
    const data = BigInt64Array.from(tokens, BigInt);
    return { inputs: { dtype: "i64", shape: [end - begin, 4], data }, labels: tokens };
  },
};

function dataFor(net: string) {
  return net.startsWith("mlp") ? IMAGES : TEXTS;
}

async function trainOn(engine: Engine, net: string, optimizer: OptimizerSpec) {
  const data = dataFor(net);
  const { graph } = parseNetwork(net, data);
  const { weights, result } = await train(
    { graph, engine },
    createCheckpoint(randomWeights(graph, 0)),
    data,
    {
      seed: 0,
      epochs: 1,
      batch: 4,
      optimizer,
      schedule: { kind: "constant", learningRate: 0.01 },
    },
  );
  const tensors = await Promise.all(
    [...graph.weights.keys()].map(async (name) => [...((await weights.read(name)).data as Float32Array)]),
  );
  return { loss: result.epochs[0]?.loss ?? Number.NaN, numbers: tensors.flat() };
}

describe("fittingEngine()", () => {
  it.each([
    ["mlp:24x2", 5600, { kind: "sgd", momentum: 0.9, weightDecay: 0.01 }],
    ["mlp:24x2", 5600, { kind: "adamw", clipNorm: 0.5 }],
    ["gpt:d1:w8:h2:c4", 3500, { kind: "sgd", momentum: 0.9, nesterov: true }],
    ["llama:d1:w8:h2:kv1:c4", 3500, { kind: "sgd", momentum: 0.9, clipNorm: 1 }],
  ] as const)(
    "trains %s on a device that takes %i bytes at once by %o, to the processor's weights",
    async (net, limit, optimizer) => {
      await expect(trainOn(deviceOf(limit).engine, net, optimizer)).rejects.toThrow("bytes are too many");
      const { engine, taken } = deviceOf(limit);
      const there = await trainOn(fittingEngine(engine, processor), net, optimizer);
      const here = await trainOn(processor, net, optimizer);
      expect(there.loss).toBeCloseTo(here.loss, 4);
      expect(there.numbers).toHaveLength(here.numbers.length);
      for (const [i, value] of here.numbers.entries()) expect(there.numbers[i]).toBeCloseTo(value, 3);
      expect(taken.largest).toBeLessThanOrEqual(limit);
    },
  );

  it("evaluates batches of several sizes, of a graph whose shapes it finds on the processor", async () => {
    const { graph } = parseNetwork("mlp:24x2", IMAGES);
    const weights = createCheckpoint(randomWeights(graph, 0));
    const evaluate = async (engine: Engine) => {
      const evaluator = await createEvaluator({ graph, engine }, IMAGES, { batchSize: 5 });
      const losses = [await evaluator.evaluate(weights), await evaluator.evaluate(weights)];
      await evaluator.release();
      return losses.map(({ loss }) => loss);
    };
    const { engine, taken } = deviceOf(5600);
    const [there, here] = [await evaluate(fittingEngine(engine, processor)), await evaluate(processor)];
    for (const [i, loss] of here.entries()) expect(there[i]).toBeCloseTo(loss, 5);
    expect(taken.largest).toBeLessThanOrEqual(5600);
  });

  it("says which value it cannot divide, and why, beside what the device said", async () => {
    const { engine } = deviceOf(2700);
    await expect(
      trainOn(fittingEngine(engine, processor), "gpt:d1:w8:h2:c4", { kind: "sgd" }),
    ).rejects.toThrow(
      /^Cannot run: 6752 bytes are too many. Cannot divide "\S+" into parts as axis 0 of \[4, 4, 211\] is too short to divide it$/,
    );
  });
});
