import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRandom, sizeOf, type Tensor } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { createTfjsEngine } from "@isthmus/engine/tfjs";
import { bindWeights, readLayersModel } from "@isthmus/graph";
// biome-ignore lint/style/noRestrictedImports: the models to read are made by TensorFlow.js itself.
import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectClose } from "../../../test/helpers/expect-close.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "isthmus-layers-"));
  await createTfjsEngine({ backend: "cpu" });
});
afterAll(() => rm(folder, { recursive: true }));

const random = createRandom(1);

/** Moves every weight, so that weights that start at 0 or 1 matter; variances stay positive. */
function shake(model: tf.LayersModel): void {
  const weights = model.weights.map((weight) => {
    const tensor = weight.read();
    const noise = tf.tensor(
      Float32Array.from({ length: tensor.size }, () => 0.3 * random.normal()),
      tensor.shape,
    );
    return weight.name.includes("variance") ? tf.add(tensor, tf.abs(noise)) : tf.add(tensor, noise);
  });
  model.setWeights([...model.weights.keys()].map((i) => weights[i]!));
}

/** Saves as TensorFlow.js saves to disk. */
async function save(model: tf.LayersModel, files = 1): Promise<string> {
  const path = join(folder, `${model.name}.json`);
  await model.save({
    save: async ({ modelTopology, weightSpecs, weightData }) => {
      const bytes = new Uint8Array(weightData as ArrayBuffer);
      const paths = Array.from({ length: files }, (_, i) => `${model.name}-${i}.bin`);
      const step = Math.ceil(bytes.length / files);
      for (const [i, name] of paths.entries()) {
        await writeFile(join(folder, name), bytes.subarray(i * step, (i + 1) * step));
      }
      const manifest = [{ paths, weights: weightSpecs }];
      await writeFile(
        path,
        JSON.stringify({ format: "layers-model", modelTopology, weightsManifest: manifest }),
      );
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } };
    },
  });
  return path;
}

/** Random values for every input of a model, for a batch of 3. */
function inputsOf(model: tf.LayersModel, bound = 0): Tensor[] {
  return model.inputs.map(({ shape, dtype }) => {
    const extents = [3, ...shape.slice(1)] as number[];
    const length = sizeOf(extents);
    if (dtype !== "int32") {
      return { dtype: "f32", shape: extents, data: Float32Array.from({ length }, () => random.normal()) };
    }
    return { dtype: "i32", shape: extents, data: Int32Array.from({ length }, () => random.integer(bound)) };
  });
}

async function expectSame(model: tf.LayersModel, { bound = 0, files = 1 } = {}): Promise<void> {
  shake(model);
  const { graph, checkpoint } = await readLayersModel(await save(model, files));
  const inputs = inputsOf(model, bound);
  const predicted = model.predict(
    inputs.map(({ data, shape, dtype }) =>
      tf.tensor(data as Float32Array, [...shape], dtype === "i32" ? "int32" : "float32"),
    ),
  );
  expect([...graph.weights.keys()].sort()).toEqual([...checkpoint.tensors.keys()].sort());
  const feeds = new Map([
    ...(await bindWeights(graph, checkpoint)),
    ...graph.inputs.map(({ name }, i) => [name, inputs[i]!] as const),
  ]);
  await checkpoint.close();
  const session = await createOnnxRuntimeEngine().load(graph);
  const got = [...(await session.run(feeds)).values()];
  await session.release();
  for (const [i, tensor] of [predicted].flat().entries()) {
    const data = tensor.dataSync() as Float32Array;
    expectClose(got[i], { dtype: "f32", shape: tensor.shape, data }, 1e-5);
  }
}

const { layers } = tf;
const IMAGE = [9, 8, 3];
type Build = (input: tf.SymbolicTensor) => tf.SymbolicTensor | tf.SymbolicTensor[];

/** A functional model of one input. */
function model(shape: number[], build: Build): tf.LayersModel {
  const input = tf.input({ shape });
  return tf.model({ inputs: input, outputs: build(input) });
}

const one =
  (layer: tf.layers.Layer): Build =>
  (input) =>
    layer.apply(input) as tf.SymbolicTensor;

const IMAGES: readonly (readonly [string, () => Build])[] = [
  ["Conv2D", () => one(layers.conv2d({ filters: 4, kernelSize: 3, activation: "relu" }))],
  [
    "Conv2D same, strided, without bias",
    () => one(layers.conv2d({ filters: 2, kernelSize: [3, 2], strides: 2, padding: "same", useBias: false })),
  ],
  [
    "Conv2D dilated",
    () => one(layers.conv2d({ filters: 2, kernelSize: 3, dilationRate: 2, padding: "same" })),
  ],
  [
    "DepthwiseConv2D",
    () =>
      one(
        layers.depthwiseConv2d({
          kernelSize: 3,
          depthMultiplier: 2,
          strides: 2,
          padding: "same",
          activation: "tanh",
        }),
      ),
  ],
  ["SeparableConv2D", () => one(layers.separableConv2d({ filters: 5, kernelSize: 3, depthMultiplier: 2 }))],
  ["Conv2DTranspose", () => one(layers.conv2dTranspose({ filters: 4, kernelSize: 3, strides: 2 }))],
  [
    "Conv2DTranspose same",
    () => one(layers.conv2dTranspose({ filters: 4, kernelSize: 3, strides: 2, padding: "same" })),
  ],
  [
    "Conv2DTranspose same, even",
    () => one(layers.conv2dTranspose({ filters: 2, kernelSize: 4, strides: 2, padding: "same" })),
  ],
  ["Conv2DTranspose with gaps", () => one(layers.conv2dTranspose({ filters: 2, kernelSize: 2, strides: 3 }))],
  [
    "Conv2DTranspose same, with gaps",
    () => one(layers.conv2dTranspose({ filters: 2, kernelSize: 2, strides: 3, padding: "same" })),
  ],
  ["MaxPooling2D", () => one(layers.maxPooling2d({ poolSize: 2 }))],
  ["MaxPooling2D same", () => one(layers.maxPooling2d({ poolSize: 3, strides: 2, padding: "same" }))],
  ["AveragePooling2D", () => one(layers.averagePooling2d({ poolSize: [2, 3], strides: [1, 2] }))],
  ["AveragePooling2D same", () => one(layers.averagePooling2d({ poolSize: 3, strides: 2, padding: "same" }))],
  ["GlobalAveragePooling2D", () => one(layers.globalAveragePooling2d({}))],
  ["GlobalMaxPooling2D", () => one(layers.globalMaxPooling2d({}))],
  ["BatchNormalization", () => one(layers.batchNormalization({ epsilon: 0.01 }))],
  ["BatchNormalization without scale", () => one(layers.batchNormalization({ scale: false, center: false }))],
  ["LayerNormalization", () => one(layers.layerNormalization())],
  [
    "ZeroPadding2D",
    () =>
      one(
        layers.zeroPadding2d({
          padding: [
            [1, 2],
            [0, 1],
          ],
        }),
      ),
  ],
  [
    "Cropping2D",
    () =>
      one(
        layers.cropping2D({
          cropping: [
            [1, 2],
            [0, 1],
          ],
        }),
      ),
  ],
  ["UpSampling2D", () => one(layers.upSampling2d({ size: [2, 3] }))],
  ["Flatten", () => one(layers.flatten())],
  ["Reshape", () => one(layers.reshape({ targetShape: [8, -1] }))],
  ["Permute", () => one(layers.permute({ dims: [3, 1, 2] }))],
  ["Dropout", () => one(layers.dropout({ rate: 0.5 }))],
  ["Dense on images", () => one(layers.dense({ units: 4 }))],
  ["Softmax", () => one(layers.softmax({ axis: 3 }))],
  ["ReLU", () => one(layers.reLU({ maxValue: 1 }))],
  ["LeakyReLU", () => one(layers.leakyReLU({ alpha: 0.2 }))],
  ["ELU", () => one(layers.elu())],
  ["ThresholdedReLU", () => one(layers.thresholdedReLU({ theta: 0.5 }))],
];

const ACTIVATIONS = [
  "elu",
  "hardSigmoid",
  "linear",
  "relu",
  "relu6",
  "selu",
  "sigmoid",
  "softmax",
  "softplus",
  "softsign",
  "tanh",
  "swish",
  "mish",
] as const;

const MERGES: readonly (readonly [string, () => tf.layers.Layer])[] = [
  ["Add", () => layers.add()],
  ["Multiply", () => layers.multiply()],
  ["Average", () => layers.average()],
  ["Maximum", () => layers.maximum()],
  ["Minimum", () => layers.minimum()],
  ["Concatenate", () => layers.concatenate()],
  ["Concatenate of rows", () => layers.concatenate({ axis: 1 })],
];

describe("readLayersModel()", () => {
  it.each(IMAGES)("computes %s as TensorFlow.js does", async (_, build) => {
    await expectSame(model(IMAGE, build()));
  });

  it.each(ACTIVATIONS)("computes activation %s as TensorFlow.js does", async (activation) => {
    await expectSame(model([5], one(layers.dense({ units: 4, activation }))));
    await expectSame(model(IMAGE, one(layers.activation({ activation }))));
  });

  it.each(MERGES)("computes %s as TensorFlow.js does, of images and of rows", async (_, merge) => {
    const conv = (input: tf.SymbolicTensor) =>
      layers.conv2d({ filters: 3, kernelSize: 3, padding: "same" }).apply(input) as tf.SymbolicTensor;
    await expectSame(model(IMAGE, (input) => merge().apply([conv(input), conv(input)]) as tf.SymbolicTensor));
    await expectSame(model(IMAGE, (input) => merge().apply([conv(input), input]) as tf.SymbolicTensor));
  });

  it("computes a sequential model as TensorFlow.js does, with weights in several files", async () => {
    const net = tf.sequential();
    net.add(
      layers.conv2d({ inputShape: IMAGE, filters: 4, kernelSize: 3, activation: "relu", padding: "same" }),
    );
    net.add(layers.batchNormalization());
    net.add(layers.maxPooling2d({ poolSize: 2 }));
    net.add(layers.separableConv2d({ filters: 6, kernelSize: 3, activation: "swish" }));
    net.add(layers.flatten());
    net.add(layers.dropout({ rate: 0.2 }));
    net.add(layers.dense({ units: 5, activation: "softmax" }));
    await expectSame(net, { files: 3 });
  });

  it("computes embeddings, norms of sequences, shared layers and several outputs as TensorFlow.js does", async () => {
    const ids = tf.input({ shape: [6], dtype: "int32" });
    const words = layers.embedding({ inputDim: 9, outputDim: 4 }).apply(ids) as tf.SymbolicTensor;
    const normed = layers.batchNormalization().apply(words) as tf.SymbolicTensor;
    const shared = layers.dense({ units: 4, activation: "tanh" });
    const once = shared.apply(normed) as tf.SymbolicTensor;
    const twice = shared.apply(once) as tf.SymbolicTensor;
    await expectSame(tf.model({ inputs: ids, outputs: [twice, once] }), { bound: 9 });
  });

  it("computes several inputs as TensorFlow.js does", async () => {
    const [a, b] = [tf.input({ shape: [4] }), tf.input({ shape: [3] })];
    const joined = layers.concatenate().apply([a, b]) as tf.SymbolicTensor;
    await expectSame(
      tf.model({ inputs: [a, b], outputs: layers.dense({ units: 2 }).apply(joined) as tf.SymbolicTensor }),
    );
  });

  it("keeps layers that follow each other in one layout", async () => {
    const net = tf.sequential();
    net.add(layers.conv2d({ inputShape: IMAGE, filters: 4, kernelSize: 3 }));
    net.add(layers.batchNormalization());
    net.add(layers.activation({ activation: "relu" }));
    net.add(layers.conv2d({ filters: 4, kernelSize: 3 }));
    net.add(layers.globalAveragePooling2d({}));
    const { graph, checkpoint } = await readLayersModel(await save(net));
    await checkpoint.close();
    const ops = graph.nodes.map(({ op }) => op);
    // One for the input and one for each kernel.
    expect(ops.filter((op) => op === "Transpose")).toHaveLength(3);
  });

  it("refuses layers it does not know, naming them", async () => {
    const path = await save(model([4, 3], one(layers.simpleRNN({ units: 2 }))));
    await expect(readLayersModel(path)).rejects.toMatchObject({
      _tag: "UnsupportedError",
      feature: "SimpleRNN",
    });
  });
});

describe("readLayersModel() of what is malformed", () => {
  const dense = (config: object = {}) => ({
    class_name: "Dense",
    config: { name: "d", batch_input_shape: [null, 2], ...config },
  });
  const sequential = (...list: unknown[]) => ({
    class_name: "Sequential",
    config: { name: "m", layers: list },
  });
  const functional = (
    list: unknown[],
    inputs: unknown = [["i", 0, 0]],
    outputs: unknown = [["d", 0, 0]],
  ) => ({
    class_name: "Model",
    config: { name: "m", layers: list, input_layers: inputs, output_layers: outputs },
  });
  const input = {
    class_name: "InputLayer",
    config: { name: "i", batch_input_shape: [null, 2] },
    inbound_nodes: [],
  };
  const wired = (...from: unknown[]) => ({ ...dense(), inbound_nodes: [from] });
  const image = { batch_input_shape: [null, 4, 4, 1] };

  it.each([
    ["no topology", undefined, "FormatError"],
    ["a class that is no model", { class_name: "Other", config: {} }, "FormatError"],
    ["no layers", sequential(), "FormatError"],
    ["layers that are no list", { class_name: "Sequential", config: { layers: 3 } }, "FormatError"],
    ["a layer without a class", sequential({ config: {} }), "FormatError"],
    ["two layers of one name", sequential(dense(), dense()), "FormatError"],
    ["a weight that is missing", sequential(dense({ name: "other" })), "MismatchError"],
    ["a weight of another shape", sequential(dense({ batch_input_shape: [null, 5] })), "MismatchError"],
    ["an input of open extents", sequential(dense({ batch_input_shape: [null, null] })), "UnsupportedError"],
    ["an activation there is not", sequential(dense({ activation: "none" })), "UnsupportedError"],
    ["an activation that is no text", sequential(dense({ activation: 3 })), "FormatError"],
    ["a layer that depends on itself", functional([input, wired(["d", 0, 0, {}])]), "FormatError"],
    ["a connection to nothing", functional([input, wired(["z", 0, 0, {}])]), "FormatError"],
    ["a connection to a call there is not", functional([input, wired(["i", 3, 0, {}])]), "FormatError"],
    ["too many operands", functional([input, wired(["i", 0, 0, {}], ["i", 0, 0, {}])]), "FormatError"],
    ["no outputs", functional([input, wired(["i", 0, 0, {}])], undefined, []), "FormatError"],
    [
      "huge margins",
      sequential({ class_name: "ZeroPadding2D", config: { ...image, padding: 1e9 } }),
      "FormatError",
    ],
    [
      "huge factors",
      sequential({ class_name: "UpSampling2D", config: { ...image, size: 60_000 } }),
      "UnsupportedError",
    ],
    [
      "margins larger than the image",
      sequential({ class_name: "Cropping2D", config: { ...image, cropping: 2 } }),
      "FormatError",
    ],
    [
      "channels first",
      sequential({ class_name: "MaxPooling2D", config: { ...image, data_format: "channels_first" } }),
      "UnsupportedError",
    ],
    ["a prototype for a class", sequential({ class_name: "__proto__", config: {} }), "UnsupportedError"],
  ])("refuses %s", async (_, modelTopology, tag) => {
    const path = join(folder, "bad.json");
    await writeFile(join(folder, "bad.bin"), new Uint8Array(24 + 12));
    const weights = [
      { name: "d/kernel", shape: [2, 3], dtype: "float32" },
      { name: "d/bias", shape: [3], dtype: "float32" },
    ];
    const weightsManifest = [{ paths: ["bad.bin"], weights }];
    await writeFile(path, JSON.stringify({ format: "layers-model", modelTopology, weightsManifest }));
    await expect(readLayersModel(path)).rejects.toMatchObject({ _tag: tag });
  });
});
