import {
  choiceSegment,
  countField,
  listSegment,
  MAX_LAYERS,
  numberSegment,
  type SegmentField,
  switchField,
} from "./field.ts";

/** Depths that are part of a network's name, as in `resnet20`. */
export interface DepthInName {
  /** Name of the option that the number stands for. */
  readonly option: "depth";
  /** Depths that networks of the family may have. */
  readonly depths: readonly number[];
}

/**
 * Form of the short strings of one family of networks: its name, then segments in any order, joined by `:`.
 */
export interface Form {
  /** First segment, for example `mlp`; followed by a depth if `depth` is set. */
  readonly name: string;
  /** Depths that the name contains; absent if the name is a word alone. */
  readonly depth?: DepthInName;
  /**
   * Fields of the segments after the first, in the order of writing; a segment belongs to the first field
   * that can read it.
   */
  readonly fields: readonly SegmentField[];
  /** Names of required options. */
  readonly required: readonly string[];
  /** Short string of a usual network, for help. */
  readonly example: string;
  /** Description of the family, in a line. */
  readonly help: string;
}

/** Names of families; the two kinds of residual networks share a prefix and differ in their depths. */
export type FamilyName = "mlp" | "lenet" | "vgg" | "small-resnet" | "resnet" | "vit" | "gpt" | "llama";

const widthFactor = numberSegment("width", "w", {
  help: "all channels times this",
  min: 1 / 64,
  max: 64,
});
const norm = choiceSegment("norm", ["batch", "layer", "group"], "what follows every convolution");
const drop = numberSegment("dropout", "drop", {
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
      listSegment("widths", {
        form: "<widths>",
        help: "hidden layers: 512x3, 256-128",
        range: { min: 1, max: 2 ** 20 },
        read: readRuns,
        write: writeRuns,
      }),
      choiceSegment("activation", ["relu", "gelu", "silu", "tanh", "sigmoid"], "what follows a hidden layer"),
      drop,
      choiceSegment("start", ["torch", "he"], "how hidden layers start"),
    ],
    required: ["widths"],
    example: "mlp:512x3",
    help: "linear layers with an activation between them",
  },
  lenet: {
    name: "lenet",
    fields: [],
    required: [],
    example: "lenet",
    help: "LeNet-5: two 5x5 convolutions of 6 and 16 channels, linear layers of 120 and 84 units",
  },
  vgg: {
    name: "vgg",
    fields: [
      listSegment("stages", {
        form: "<depth>",
        help: "11, 13, 16, 19, or convolutions before each pooling: 1-1-2",
        range: { min: 1, max: 64 },
        minLength: 2,
        read: readStages,
        write: writeStages,
      }),
      widthFactor,
      choiceSegment("norm", ["batch", "layer", "group", "none"], "what follows every convolution"),
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

/**
 * Reads widths such as `512x3` (three layers of 512), `256-128`, or both forms joined: `512x2-10`.
 * @returns undefined if the text has another form, or lists more layers than {@link MAX_LAYERS}
 */
function readRuns(text: string): number[] | undefined {
  const widths: number[] = [];
  for (const run of text.split("-")) {
    const [, width, count = "1"] = /^(\d+)(?:x(\d+))?$/.exec(run) ?? [];
    if (width === undefined || Number(count) < 1 || widths.length + Number(count) > MAX_LAYERS)
      return undefined;
    for (let i = 0; i < Number(count); i++) widths.push(Number(width));
  }
  return widths;
}

/** Writes the shortest text that {@link readRuns} reads as these widths. */
function writeRuns(widths: readonly number[]): string {
  const runs: { readonly width: number; count: number }[] = [];
  for (const width of widths) {
    const last = runs.at(-1);
    if (last?.width === width) last.count += 1;
    else runs.push({ width, count: 1 });
  }
  return runs.map(({ width, count }) => (count === 1 ? `${width}` : `${width}x${count}`)).join("-");
}

/**
 * Number of convolutions before each pooling of the published
 * networks, by their number of layers with weights.
 */
const VGG_DEPTHS: ReadonlyMap<string, readonly number[]> = new Map([
  ["11", [1, 1, 2, 2, 2]],
  ["13", [2, 2, 2, 2, 2]],
  ["16", [2, 2, 3, 3, 3]],
  ["19", [2, 2, 4, 4, 4]],
]);

/**
 * Reads the number of convolutions of each stage, given as a published depth or listed: `11` is `1-1-2-2-2`.
 * @returns undefined if the text has another form
 */
function readStages(text: string): number[] | undefined {
  const published = VGG_DEPTHS.get(text);
  if (published !== undefined) return [...published];
  return /^\d+(-\d+)+$/.test(text) ? text.split("-").map(Number) : undefined;
}

/** Writes the text that {@link readStages} reads as these stages; a single stage has no readable text. */
function writeStages(stages: readonly number[]): string {
  const listed = stages.join("-");
  for (const [depth, published] of VGG_DEPTHS) if (published.join("-") === listed) return depth;
  return listed;
}
