/** What an export of a module has that others of it have not. */
interface Exception {
  readonly options: string;
  readonly why: string;
}

/** What is expected of all exports of one module. */
export interface ExpectedModule {
  /** Sizes of all symmetries, as `describeSizes` lists them, whatever the exporter. */
  readonly sizes: string;
  /** Operators that no rule follows. */
  readonly unknown?: string;
  /** Exports with other symmetries. */
  readonly otherwise?: readonly (Exception & { readonly sizes: string; readonly unknown?: string })[];
  /** Exports of which some weight is not found in the module's state, with what the exporter made of it. */
  readonly unbound?: readonly Exception[];
  /** Exports that leave a tensor of the state out. */
  readonly unused?: readonly (Exception & { readonly tensor: string })[];
}

const DYNAMO = "dynamo dynamo-external dynamo-static";
const LEGACY = "legacy legacy-training";

const FOLDED_GATES = [
  {
    options: `${DYNAMO} ${LEGACY}`,
    why: "gates are reordered, biases of input and state put together, directions stacked",
  },
];

const IN_TRAINING = [
  {
    options: "legacy-training",
    why: "exporting in training runs the module, which moves its running statistics",
  },
];

/** By module of tools/exports/modules.py. */
export const EXPECTED_EXPORTS: Readonly<Record<string, ExpectedModule>> = {
  mlp: { sizes: "6 8" },
  regression: { sizes: "8" },
  bilinear: {
    sizes: "6 7 8",
    unbound: [
      { options: DYNAMO, why: "the weight [8, 6, 7] is a matrix [6, 56], its first two axes exchanged" },
    ],
  },
  einsum: { sizes: "3 4" },
  maxout: { sizes: "4 4x3" },
  "tied-autoencoder": { sizes: "7" },
  "weight-norm": {
    sizes: "6 8",
    unbound: [{ options: DYNAMO, why: "length and direction are multiplied" }],
  },
  "spectral-norm": {
    sizes: "8",
    unbound: [{ options: DYNAMO, why: "the weight is divided by its largest singular value" }],
  },
  residual: { sizes: "6 8" },
  experts: { sizes: "4 6 7 4x8" },
  "stacked-experts": {
    sizes: "6 8 8 8",
    otherwise: [
      {
        options: `${DYNAMO} ${LEGACY}`,
        sizes: "3 6 3x8",
        why: "experts lie in one tensor, in which they may be exchanged",
      },
    ],
    unbound: [{ options: `${DYNAMO} ${LEGACY}`, why: "weights of the experts are transposed and stacked" }],
  },
  conv1d: { sizes: "6 8", unbound: IN_TRAINING },
  conv2d: { sizes: "6 8", unbound: IN_TRAINING },
  conv3d: { sizes: "4 5", unbound: IN_TRAINING },
  "batch-norm": { sizes: "6 8", unbound: IN_TRAINING },
  "batch-norm-linear": {
    sizes: "6 8",
    unbound: [{ options: DYNAMO, why: "norms are folded into linear layers" }, ...IN_TRAINING],
  },
  "grouped-conv": { sizes: "4 4x2 4x3" },
  "depthwise-conv": { sizes: "6", unbound: IN_TRAINING },
  "conv-transpose": {
    sizes: "4 5 4x2 4x3",
    unbound: [{ options: DYNAMO, why: "a norm is folded into a transposed convolution" }, ...IN_TRAINING],
  },
  "pixel-shuffle": { sizes: "4" },
  "pixel-unshuffle": { sizes: "4" },
  "channel-shuffle": { sizes: "2 2x3 2x3 2x4" },
  "squeeze-excite": { sizes: "4 8" },
  "adaptive-pools": { sizes: "5" },
  pools: { sizes: "6 8" },
  upsample: { sizes: "5 6" },
  "layer-norm": { sizes: "6 8" },
  "rms-norm": { sizes: "8" },
  "group-norm": {
    sizes: "3 3x4",
    unbound: [
      { options: DYNAMO, why: "ones and zeros of the exporter stand where an operator has scale and bias" },
    ],
  },
  "instance-norm": { sizes: "6" },
  normalize: { sizes: "6" },
  glu: { sizes: "6" },
  "swi-glu": { sizes: "8" },
  chunk: { sizes: "4" },
  split: { sizes: "2 4 6" },
  unbind: { sizes: "4" },
  stack: { sizes: "6" },
  cat: { sizes: "4 5" },
  unflatten: { sizes: "4 6" },
  masked: {
    sizes: "6",
    unbound: [
      { options: DYNAMO, why: "a table of the architecture is a tensor of the file, as weights are" },
    ],
  },
  embedding: {
    sizes: "6",
    unused: [
      {
        options: "dynamo-unoptimized",
        tensor: "tokens.weight",
        why: "it is the same tensor as head.weight, of which the file names one",
      },
      {
        options: "legacy-unfolded legacy-no-params",
        tensor: "head.weight",
        why: "it is the same tensor as tokens.weight, of which the file names one",
      },
    ],
  },
  "embedding-bag": {
    sizes: "",
    unknown: "Loop",
    otherwise: [
      {
        options: "dynamo dynamo-unoptimized dynamo-external dynamo-static",
        sizes: "",
        unknown: "Loop ConcatFromSequence",
        why: "the loop over bags makes a sequence",
      },
    ],
    unbound: [{ options: "dynamo-static", why: "ones of the exporter are a tensor of the file" }],
  },
  "multihead-attention": { sizes: "2 8 8 2x4 2x4" },
  "cross-attention": {
    sizes: "2 8 8 2x4 2x4",
    unbound: [
      { options: LEGACY, why: "the bias of queries, keys and values is cut in three" },
      { options: "dynamo-static", why: "biases of keys and values are repeated for each example" },
    ],
  },
  "transformer-encoder-layer": {
    sizes: "2 8 2x3 2x3",
    unbound: [{ options: "dynamo-static", why: "the class token is repeated for each example" }],
  },
  "transformer-decoder-layer": {
    sizes: "2 2 8 2x3 2x3 2x3 2x3",
    unbound: [{ options: DYNAMO, why: "the mask is a tensor of the file" }],
  },
  "grouped-queries": {
    sizes: "2 2x2 2x3 2x3",
    unbound: [{ options: "dynamo-static", why: "the mask is a tensor of the file" }],
  },
  rotary: {
    sizes: "2 8 2x4",
    otherwise: [
      {
        options: `${DYNAMO} dynamo-unoptimized`,
        sizes: "2 2 8 2x4",
        why: "tables of cosines and sines are tensors of the file, with which frequencies may be exchanged",
      },
    ],
    unbound: [
      {
        options: `${DYNAMO} dynamo-unoptimized`,
        why: "tables of cosines and sines are no part of the state",
      },
    ],
  },
  rnn: {
    sizes: "4 6",
    unbound: [
      { options: LEGACY, why: "biases of input and state are put together" },
      { options: "dynamo-static", why: "the bias of the state is repeated for each example" },
    ],
  },
  "rnn-relu": {
    sizes: "4 6 6",
    otherwise: [
      {
        options: "dynamo-static",
        sizes: "4 6",
        why: "layers share zeros that are a tensor of the file to start from",
      },
    ],
    unbound: [{ options: "dynamo-static", why: "zeros to start from are a tensor of the file" }],
  },
  gru: { sizes: "4 6", unbound: FOLDED_GATES },
  "gru-bidirectional": {
    sizes: "4 6 6 6 6",
    otherwise: [
      {
        options: "dynamo-static",
        sizes: "4 6 6",
        why: "layers share zeros that are a tensor of the file to start from",
      },
    ],
    unbound: FOLDED_GATES,
  },
  lstm: { sizes: "4 6", unbound: FOLDED_GATES },
  "lstm-layers": {
    sizes: "4 6 6 6",
    otherwise: [
      {
        options: "dynamo-static",
        sizes: "4 6",
        why: "layers share zeros that are a tensor of the file to start from",
      },
    ],
    unbound: FOLDED_GATES,
  },
  "lstm-bidirectional": { sizes: "6 6", unbound: FOLDED_GATES },
  "encoder-decoder": { sizes: "6", unbound: FOLDED_GATES },
  "learned-state": { sizes: "6", unbound: FOLDED_GATES },
  "given-state": { sizes: "", unbound: FOLDED_GATES },
  cells: { sizes: "6 7" },
};

/** The exception for an option, if there is one. */
export function exceptionFor<T extends Exception>(
  exceptions: readonly T[] | undefined,
  option: string,
): T | undefined {
  return exceptions?.find(({ options }) => options.split(" ").includes(option));
}
