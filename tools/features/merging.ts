import type { Described } from "./lists.ts";

const LINES = "packages/interpolation/src/interpolation.test.ts";

/** Operations that make one network of several. */
export const MERGING: Readonly<Record<string, Described>> = {
  lerp: [LINES, "linear interpolation of two networks, of each tensor by its own share if asked for"],
  slerp: [LINES, "spherical interpolation of two networks, tensor by tensor"],
  average: [LINES, "the mean of any number of networks, weighted if asked for"],
  combine: [LINES, "any linear combination of networks"],
  mergeLayers: ["packages/interpolation/src/merge-layers.test.ts", "interpolation by a share for each layer"],
  recalibrateBatchNorm: [
    "packages/statistics/test/recalibrate-batch-norm.test.ts",
    "batch norms of a merged network measured on data",
  ],
  createRepairer: [
    "packages/statistics/test/repair.test.ts",
    "REPAIR: the statistics of a merged network's activations restored",
  ],
  mergePartially: [
    "packages/fusion/test/merge-partially.test.ts",
    "units that agree merged, the others kept apart, in a graph of 1 to 2 times the width; layers fitted by least squares",
  ],
  transferTask: [
    "packages/fusion/test/transfer-task.test.ts",
    "a fine-tune moved to another base: its task vector, aligned, masked by the sign of gradients if asked for",
  ],
  transferAcrossWidths: [
    "packages/fusion/test/transfer-across-widths.test.ts",
    "a fine-tune moved to a base of another width, by maps of streams, heads and units found on unlabelled examples",
  ],
  fuseByMaps: [
    "packages/fusion/test/transfer-across-widths.test.ts",
    "a transformer widened to the width of another, which computes the same",
  ],
  "recipes of mergekit": [
    "packages/recipe/src/plan/mergekit-recipes.test.ts",
    "twelve recipes planned as mergekit plans them, with the tensors that it makes",
  ],
  "tokenizers of merged models": [
    "packages/recipe/src/models/plan-vocabulary.test.ts",
    "a union of vocabularies, one model's, rows of single tokens, padding",
  ],
  "tokenizers of other models": [
    "packages/recipe/src/vocabulary/replace-vocabulary.test.ts",
    "shared rows copied, new ones by matching pursuit, pieces, the mean or zeros",
  ],
  "LoRA adapters": [
    "packages/merging/src/adapters/adapters.test.ts",
    "applied, extracted and merged as PEFT does, also in core space and by recipe",
  ],
  "LoRA files of kohya and diffusers": [
    "packages/merging/src/adapters/adapter-file.test.ts",
    "applied and merged as products of their factors, with alpha / rank",
  ],
  "names of adapters in other programs": [
    "packages/merging/src/adapters/rename-adapter.test.ts",
    "kohya, diffusers, ComfyUI and PEFT, read and written, with scales and lengths of rows",
  ],
  "layouts of diffusion models": [
    "packages/merging/src/layouts/layouts.test.ts",
    "single files of Stable Diffusion 1, XL, 3 and Flux as folders of diffusers and back, bit for bit",
  ],
  "blocks of diffusion models": [
    "packages/recipe/src/settings/block-values.test.ts",
    "values of recipes by the blocks of Stable Diffusion 1 to 3.5, SDXL and Flux, by names of one file and of diffusers",
  ],
  "autoencoders and averages of diffusion models": [
    "packages/recipe/src/diffusion/diffusion-changes.test.ts",
    "another autoencoder put into a model, averages of weights dropped or used",
  ],
  "LoHa, LoKr, LoCon, OFT, BOFT, HRA, IA3, VeRA, trained tokens": [
    "packages/merging/src/adapters/kinds/kinds.test.ts",
    "applied as PEFT and LyCORIS do, and LoHa and LoKr merged through their products",
  ],
  "model+adapter": [
    "packages/merging/src/adapters/open-adapted.test.ts",
    "in every command, recipe and script, also the part of an adapter for one network of a pipeline",
  ],
  "large merges": [
    "packages/merging/src/executor/merge-processes.test.ts",
    "worker threads within a limit of memory; killed merges go on to the same bytes",
  ],
  verify: [
    "packages/merging/src/executor/verify-merge.test.ts",
    "a merge made again and compared bit for bit",
  ],
  search: ["packages/recipe/src/search/search-recipe.test.ts", "numbers of a recipe searched by CMA-ES"],
  map: [
    "packages/barrier/test/map-networks.test.ts",
    "barriers and distances of all pairs, as they are and aligned, as heat maps with trees and as points of a plane",
  ],
  compare: [
    "packages/recipe/test/judge-pairs.test.ts",
    "a verdict on networks before they are merged: kinship, order of units and tokens, packed weights",
  ],
};
