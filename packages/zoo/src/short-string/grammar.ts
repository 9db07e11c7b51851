import { choiceField, countField, type Field, listField, numberField, switchField } from "./field.ts";
import { readRuns, readStages, writeRuns, writeStages } from "./lists.ts";

/** Depths that are part of a network's name, as in `resnet20`. */
export interface DepthInName {
  readonly option: "depth";
  readonly depths: readonly number[];
}

/**
 * Form of the short strings of one family of networks: its name, then segments in any order, joined by `:`.
 */
export interface Form {
  /** First segment, for example `mlp`; followed by a depth where `depth` says so. */
  readonly name: string;
  readonly depth?: DepthInName;
  /**
   * Fields of the segments after the first, in the order they are written; the first field that can read a
   * segment does.
   */
  readonly fields: readonly Field[];
  /** Options that must be given. */
  readonly required: readonly string[];
  readonly example: string;
  /** Description of the family, in a line. */
  readonly help: string;
}

/** Names of families; the two kinds of residual networks share a prefix and differ in their depths. */
export type FamilyName = "mlp" | "vgg" | "small-resnet" | "resnet" | "vit" | "gpt" | "llama";

const widthFactor = numberField("width", "w", {
  help: "all channels times this",
  min: 1 / 64,
  max: 64,
});
const norm = choiceField("norm", ["batch", "layer", "group"], "what follows every convolution");
const drop = numberField("dropout", "drop", {
  help: "share of units dropped in training",
  min: 0,
  max: 0.99,
});
const depth = countField("depth", "d", { help: "blocks", max: 1024 });
const width = countField("width", "w", { help: "width of the residual stream" });
const heads = countField("heads", "h", { help: "heads of each attention" });
const hidden = countField("hidden", "f", { help: "width inside the blocks' feed-forward networks" });
const context = countField("context", "c", { help: "tokens of an example; that of the data if not given" });
const tied = switchField("tied", {
  on: "tied",
  off: "untied",
  help: "whether the head is the embedding",
});

/** Forms of the short strings of every family. */
export const GRAMMAR: Readonly<Record<FamilyName, Form>> = {
  mlp: {
    name: "mlp",
    fields: [
      listField("widths", {
        form: "<widths>",
        help: "hidden layers: 512x3, 256-128",
        range: { min: 1, max: 2 ** 20 },
        read: readRuns,
        write: writeRuns,
      }),
      choiceField("activation", ["relu", "gelu", "silu", "tanh", "sigmoid"], "what follows a hidden layer"),
      drop,
      choiceField("start", ["torch", "he"], "how hidden layers start"),
    ],
    required: ["widths"],
    example: "mlp:512x3",
    help: "linear layers with an activation between them",
  },
  vgg: {
    name: "vgg",
    fields: [
      listField("stages", {
        form: "<depth>",
        help: "11, 13, 16, 19, or convolutions before each pooling: 1-1-2",
        range: { min: 1, max: 64 },
        minLength: 2,
        read: readStages,
        write: writeStages,
      }),
      widthFactor,
      choiceField("norm", ["batch", "layer", "group", "none"], "what follows every convolution"),
      drop,
    ],
    required: ["stages"],
    example: "vgg:11:w0.5:layer",
    help: "plain 3x3 convolutions, from 64 channels doubling to 512 at every pooling",
  },
  "small-resnet": {
    name: "resnet",
    depth: { option: "depth", depths: [8, 14, 20, 32, 44, 56, 110] },
    fields: [widthFactor, norm],
    required: [],
    example: "resnet20:w4:layer",
    help: "residual networks for small images, three stages of 16, 32, 64 channels",
  },
  resnet: {
    name: "resnet",
    depth: { option: "depth", depths: [18, 34, 50, 101, 152] },
    fields: [widthFactor, norm],
    required: [],
    example: "resnet18:w0.25",
    help: "residual networks for ImageNet, four stages; images of up to 64 pixels keep their resolution at first",
  },
  vit: {
    name: "vit",
    fields: [
      countField("patch", "p", { help: "side of a patch in pixels" }),
      depth,
      width,
      heads,
      hidden,
      drop,
    ],
    required: [],
    example: "vit:p7:d4:w64:h4",
    help: "vision transformer with a class token; defaults are ViT-B/16",
  },
  gpt: {
    name: "gpt",
    fields: [depth, width, heads, context, hidden, tied, drop],
    required: [],
    example: "gpt:d1:w64:h4:c64",
    help: "GPT-2: learned positions, pre-norm, approximate gelu; defaults are its small size",
  },
  llama: {
    name: "llama",
    fields: [
      depth,
      width,
      heads,
      countField("groups", "kv", { help: "heads of keys and values, each shared by heads / groups queries" }),
      context,
      hidden,
      tied,
      countField("rotaryBase", "theta", {
        help: "base of the rotary embedding's wavelengths",
        min: 2,
        max: 2 ** 30,
      }),
    ],
    required: [],
    example: "llama:d2:w64:h4:kv2:c64",
    help: "Llama: root-mean-square norms, rotary positions, grouped queries, SwiGLU",
  },
};
