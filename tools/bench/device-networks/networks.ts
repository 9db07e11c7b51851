import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { TensorInfo } from "@isthmus/core";
import { type Graph, readGraph } from "@isthmus/graph";
import { networkOfConfig, parseNetwork } from "@isthmus/zoo";
import { root } from "../../packages.mjs";

/** A network that is computed on a device and on the processor. */
export interface DeviceNetwork {
  /** Name of the network: a short string of the zoo, a type of model, or the name of a graph's file. */
  readonly name: string;
  /** The networks that it belongs to. */
  readonly group: "zoo" | "config" | "architecture";
  /** Builds or reads the graph for examples of few pixels or tokens; the first one that a device runs counts. */
  readonly graphs: () => Promise<readonly Graph[]>;
}

const PICTURES = { exampleShape: [3, 16, 16], classes: 4 };
const TEXTS = { exampleShape: [8], classes: 13 };

/** One network for each kind of layer that families of the zoo choose from. */
const ZOO = [
  "mlp:16",
  "mlp:16x2:gelu",
  "lenet",
  "vgg:1-1:w0.25",
  "resnet8:w0.25",
  "resnet8:w0.25:layer",
  "resnet8:w0.25:group",
  "resnet20:w0.25",
  "resnet18:w0.125",
  "resnet50:w0.125",
  "vit:d1:w16:h2:p8",
  "gpt:d1:w16:h2:c8",
  "llama:d1:w16:h4:kv2:c8",
];

/** Configs and tensors of tiny models, which tests compare with PyTorch. */
const GOLDEN = ["packages/zoo/test/golden/families.json.golden", "test/golden/models.json"];

/** Widths of pictures in pixels that architectures are tried with, in turn. */
const WIDTHS = [64, 224];

/** Lists the networks of the zoo, one model for each type of config, and the graphs of a folder if it is there. */
export function listNetworks(architectures: string | undefined): readonly DeviceNetwork[] {
  return [...zooNetworks(), ...configNetworks(), ...(architectures ? graphsOf(architectures) : [])];
}

function zooNetworks(): readonly DeviceNetwork[] {
  return ZOO.map((name) => ({
    name,
    group: "zoo",
    graphs: async () => [parseNetwork(name, /^(gpt|llama)/.test(name) ? TEXTS : PICTURES).graph],
  }));
}

interface GoldenModel {
  readonly config: Readonly<Record<string, unknown>>;
  readonly tensors: Readonly<Record<string, readonly number[]>>;
  readonly idle: Readonly<Record<string, readonly number[]>>;
}

function configNetworks(): readonly DeviceNetwork[] {
  const models = new Map<string, GoldenModel>();
  for (const path of GOLDEN) {
    const golden: Readonly<Record<string, GoldenModel>> = JSON.parse(readFileSync(join(root, path), "utf8"));
    for (const model of Object.values(golden)) {
      const type = String(model.config["model_type"]);
      if (!models.has(type)) models.set(type, model);
    }
  }
  return [...models].map(([name, { config, tensors, idle }]) => ({
    name,
    group: "config",
    graphs: async () => [networkOfConfig(config, { tensors: infosOf({ ...tensors, ...idle }) }).graph],
  }));
}

function infosOf(shapes: GoldenModel["tensors"]): Map<string, TensorInfo> {
  return new Map(Object.entries(shapes).map(([name, shape]) => [name, { dtype: "f32", shape }]));
}

function graphsOf(folder: string): readonly DeviceNetwork[] {
  if (!existsSync(folder)) throw new Error(`Cannot list graphs as the folder must exist: ${folder}`);
  const files = readdirSync(folder).filter((file) => file.endsWith(".onnx"));
  return files.map((file) => ({
    name: basename(file, ".onnx"),
    group: "architecture",
    graphs: async () => {
      const { graph } = await readGraph(join(folder, file));
      const isOfPictures = graph.inputs.some(({ shape = [] }) => shape.length === 4);
      return isOfPictures ? WIDTHS.map((width) => ofWidth(graph, width)) : [graph];
    },
  }));
}

/** Returns a graph for square pictures of another width; whether it computes them, a run tells. */
function ofWidth(graph: Graph, width: number): Graph {
  const inputs = graph.inputs.map(({ shape = [], ...input }) => ({
    ...input,
    shape: shape.length === 4 ? [...shape.slice(0, 2), width, width] : shape,
  }));
  const { types: _, ...untyped } = graph;
  return { ...untyped, inputs };
}
