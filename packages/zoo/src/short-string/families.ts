import type { Network, NetworkShape } from "../network.ts";
import { GPT_DEFAULTS, gpt } from "../networks/gpt.ts";
import { lenet } from "../networks/lenet.ts";
import { LLAMA_DEFAULTS, llama } from "../networks/llama.ts";
import { MLP_DEFAULTS, type MlpOptions, mlp } from "../networks/mlp.ts";
import { RESNET_DEFAULTS, type ResnetOptions, resnet } from "../networks/resnet.ts";
import { VGG_DEFAULTS, type VggOptions, vgg } from "../networks/vgg.ts";
import { VIT_DEFAULTS, vit } from "../networks/vit.ts";
import type { PlainOptions } from "./format-spec.ts";
import type { FamilyName } from "./grammar.ts";

/** Defaults and builder of the networks of a family. */
export interface Family {
  /** Options that a short string may leave out, with their values. */
  readonly defaults: object;
  /** Builds a network from the options that the grammar reads: exactly one option for each field. */
  readonly build: (options: PlainOptions, shape: NetworkShape) => Network;
}

/** Builders and defaults of the networks of each family. */
export const FAMILIES: Readonly<Record<FamilyName, Family>> = {
  mlp: { defaults: MLP_DEFAULTS, build: (options, shape) => mlp(options as unknown as MlpOptions, shape) },
  lenet: { defaults: {}, build: (_, shape) => lenet(shape) },
  vgg: { defaults: VGG_DEFAULTS, build: (options, shape) => vgg(options as unknown as VggOptions, shape) },
  "small-resnet": {
    defaults: RESNET_DEFAULTS,
    build: (options, shape) => resnet(options as unknown as ResnetOptions, shape),
  },
  resnet: {
    defaults: RESNET_DEFAULTS,
    build: (options, shape) => resnet(options as unknown as ResnetOptions, shape),
  },
  vit: { defaults: VIT_DEFAULTS, build: (options, shape) => vit(options, shape) },
  gpt: { defaults: GPT_DEFAULTS, build: (options, shape) => gpt(options, shape) },
  llama: { defaults: LLAMA_DEFAULTS, build: (options, shape) => llama(options, shape) },
};
