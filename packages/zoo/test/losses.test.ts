import { readFileSync } from "node:fs";
import { createCheckpoint, createTensor, sizeOf, type Tensor } from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { createEvaluator, type DataSet } from "@isthmus/graph";
import { measureGradient } from "@isthmus/training";
import { networkOfConfig } from "@isthmus/zoo";
import { expect, test } from "vitest";
import { waves } from "../../../test/helpers/waves.ts";
import { withArrayObjective } from "../../data/src/array-objective.ts";

interface Golden {
  readonly config: Readonly<Record<string, unknown>>;
  readonly tensors: Readonly<Record<string, readonly number[]>>;
  /** Loss that transformers computes. */
  readonly loss?: number;
  /** Lengths of the gradient of each tensor, in the order of their names. */
  readonly gradients?: readonly number[];
}

const golden: Readonly<Record<string, Golden>> = JSON.parse(
  readFileSync(new URL("golden/families.json.golden", import.meta.url), "utf8"),
);
const engine = createOnnxRuntimeEngine();
const [EXAMPLES, LENGTH, PAIRS] = [2, 8, 8];

/** Weights as tools/golden/model-families.py makes them. */
function weightsOf({ tensors }: Golden): Map<string, Tensor> {
  const names = Object.keys(tensors).sort();
  return new Map(
    names.map((name, index): [string, Tensor] => {
      const shape = tensors[name] ?? [];
      const offset = /(weight|gamma)$/.test(name) ? 1 : 0;
      const scale = Math.sqrt(2 / sizeOf(shape.slice(1)));
      return [
        name,
        shape.length === 1 ? waves(shape, index + 1, 0.3, offset) : waves(shape, index + 1, scale),
      ];
    }),
  );
}

const idsOf = (count: number, words: number): Tensor =>
  createTensor(
    "i64",
    [count, LENGTH],
    BigInt64Array.from({ length: count * LENGTH }, (_, i) => BigInt((7 * i + 3) % words)),
  );

/** Labels of every third place: the tokens of the other example. */
function labelsOf(ids: Tensor): Tensor {
  const data = ids.data as BigInt64Array;
  const flipped = data.map((_, i) => (i % 3 === 0 ? (data[(i + LENGTH) % data.length] ?? 0n) : -100n));
  return createTensor("i64", ids.shape, flipped);
}

/** The examples of the golden file, under the names of Hugging Face's processors. */
function dataOf({ config }: Golden): DataSet {
  const { vision_config: vision, text_config: text } = config as Readonly<
    Record<string, Readonly<Record<string, number>>>
  >;
  if (vision !== undefined && text !== undefined) {
    const count = EXAMPLES * PAIRS;
    const side = vision["image_size"] ?? 0;
    const features = new Map([["input_ids", idsOf(count, text["vocab_size"] ?? 0)]]);
    const images = createDataSet(waves([count, 3, side, side], 0, 1.5), undefined, {
      inputName: "pixel_values",
      features,
    });
    return withArrayObjective(images, {
      kind: "paired",
      asks: config["model_type"] === "siglip" ? "each" : "best",
    });
  }
  const ids = idsOf(EXAMPLES, Number(config["vocab_size"]));
  const labels = labelsOf(ids);
  const start = Number(config["decoder_start_token_id"]);
  if (config["model_type"] === "whisper") {
    const frames = waves(
      [EXAMPLES, Number(config["num_mel_bins"]), 2 * Number(config["max_source_positions"])],
      0,
      1.5,
    );
    return withArrayObjective(createDataSet(frames, labels, { inputName: "input_features" }), {
      kind: "continued",
      start,
      padding: 0,
    });
  }
  const isDecoded = config["model_type"] === "t5";
  const types = createTensor(
    "i64",
    ids.shape,
    (ids.data as BigInt64Array).map((_, i) => BigInt((7 * i + 3) % 2)),
  );
  const texts = createDataSet(ids, labels, {
    inputName: "ids",
    ...(!isDecoded && { features: new Map([["token_type_ids", types]]) }),
  });
  return withArrayObjective(texts, isDecoded ? { kind: "continued", start, padding: 0 } : undefined);
}

test.each(Object.entries(golden).filter(([, { loss }]) => loss !== undefined))(
  "the loss of %s, and the gradient of each tensor, are those of transformers",
  async (_, entry) => {
    const infos = new Map(
      Object.entries(entry.tensors).map(([name, shape]) => [name, { dtype: "f32" as const, shape }]),
    );
    const { graph } = networkOfConfig(entry.config, { tensors: infos });
    const network = createCheckpoint(weightsOf(entry), {}, "golden");
    const data = dataOf(entry);
    const evaluator = await createEvaluator({ graph, engine }, data);
    const { loss } = await evaluator.evaluate(network);
    await evaluator.release();
    expect(loss / (entry.loss ?? 0)).toBeCloseTo(1, 5);
    const gradient = await measureGradient({ graph, engine }, network, data);
    const lengths = await Promise.all(
      Object.keys(entry.tensors)
        .sort()
        .map(async (name) => {
          const { data: values } = await gradient.read(name);
          return Math.hypot(...Array.from(values as Float32Array));
        }),
    );
    const largest = Math.max(...(entry.gradients ?? []));
    const errors = lengths.map((length, i) => Math.abs(length - (entry.gradients?.[i] ?? Number.NaN)));
    expect(Math.max(...errors) / largest).toBeLessThan(1e-4);
  },
);
