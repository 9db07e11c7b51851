import { GPT_DEFAULTS } from "../networks/gpt.ts";
import { LLAMA_DEFAULTS } from "../networks/llama.ts";
import { VIT_DEFAULTS } from "../networks/vit.ts";
import type { NetworkName } from "../short-string/parse-network.ts";

/** Width of the widest convolutions, before the factor in the name. */
const CHANNELS: Readonly<Record<"vgg" | "resnet" | "small-resnet", number>> = {
  vgg: 512,
  resnet: 512,
  "small-resnet": 64,
};

/** Default depth and width of transformers whose names do not state them. */
const TRANSFORMERS: Readonly<Record<"vit" | "gpt" | "llama", Readonly<Record<"depth" | "width", number>>>> = {
  vit: VIT_DEFAULTS,
  gpt: GPT_DEFAULTS,
  llama: LLAMA_DEFAULTS,
};

/** Number of weights between the layers of a LeNet for images of 28 x 28 pixels. */
const LENET_WEIGHTS = 43_000;

/**
 * Estimates the number of weights between the hidden units of a network from its name, within a factor of
 * three, without building the graph, which may be too large for a hostile name.
 */
export function estimateWeights({ family, options }: NetworkName): number {
  const number = (option: string, fallback: number) => Number(options[option] ?? fallback);
  switch (family) {
    case "mlp":
      return betweenLayers(options["widths"] as readonly number[]);
    case "lenet":
      return LENET_WEIGHTS;
    case "vgg":
    case "resnet":
    case "small-resnet": {
      const stages = options["stages"] as readonly number[] | undefined;
      const layers = stages?.reduce((sum, count) => sum + count, 0) ?? (options["depth"] as number);
      return 2 * layers * (CHANNELS[family] * number("width", 1)) ** 2;
    }
    default: {
      const defaults = TRANSFORMERS[family];
      const width = number("width", defaults.width);
      const hidden = number("hidden", 4 * width);
      return (
        number("depth", defaults.depth) * width * (4 * width + 2 * hidden) + number("context", 0) * width
      );
    }
  }
}

/** Counts the weights between consecutive layers, and one for each unit of the last layer. */
function betweenLayers(widths: readonly number[]): number {
  let [sum, before] = [0, 0];
  for (const width of widths) {
    sum += before * width;
    before = width;
  }
  return sum + before;
}
