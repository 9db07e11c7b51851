/** Size of a network's inputs and outputs, for random examples of it. */
export interface ExampleForm {
  /** Shape of an example without its batch axis. */
  readonly exampleShape: readonly number[];
  /** Number of classes; for language models, of tokens. */
  readonly classes: number;
}

/** Work on a network of the zoo, which both sides do on the same weights and examples. */
export type NetworkTask = ExampleForm & {
  /** Network, by its name in the zoo. */
  readonly net: string;
  /** Class of tools/golden's PyTorch module that has the same weights, and its arguments. */
  readonly module: readonly [name: string, ...arguments: readonly unknown[]];
  /** Examples in a batch. */
  readonly batch: number;
} & (
    | { readonly kind: "step"; readonly momentum: number }
    | { readonly kind: "evaluation"; readonly examples: number }
    | { readonly kind: "product" | "trace" | "eigenvalues" | "density"; readonly examples: number }
  );

/** Work on random arrays and on files of them, which array-peer.py does as well. */
export type ArrayTask =
  /** An assignment of random f32 costs. */
  | { readonly kind: "assignment"; readonly size: number }
  /** A merge of two files of bf16 matrices into a third by a method of mergekit. */
  | {
      readonly kind: "merge";
      readonly method: string;
      readonly hasBase: boolean;
      readonly isRandom: boolean;
      readonly megabytes: number;
    }
  /** A rule that combines updates of clients, `f` of them hostile, element by element in f64. */
  | {
      readonly kind: "rule";
      readonly rule: string;
      readonly clients: number;
      readonly f: number;
      readonly elements: number;
    }
  /** A match of the hidden units of a multilayer perceptron with those of a permuted, noisy copy. */
  | { readonly kind: "matching"; readonly widths: readonly number[] }
  /** All tensors of a file of f32, read into memory or written. */
  | { readonly kind: "read"; readonly megabytes: number }
  | { readonly kind: "write"; readonly megabytes: number }
  /** Singular values, the largest `rank` of them or all, or the orthogonal factor, of a square matrix. */
  | { readonly kind: "largest singular values"; readonly size: number; readonly rank: number }
  | { readonly kind: "singular values"; readonly size: number }
  | { readonly kind: "polar factor"; readonly size: number };

/** Work that is timed on both sides, as plain data: the peer reads it from a file. */
export type SpeedTask =
  | NetworkTask
  | ArrayTask
  /** A whole training by the command, with an evaluation after every epoch. */
  | {
      readonly kind: "training";
      readonly net: string;
      readonly widths: readonly number[];
      readonly epochs: number;
    };

/** A claim of speed: work, and the ways in which a peer does it. */
export interface SpeedRow {
  /** Name in the table and in the history. */
  readonly name: string;
  /** Words for what one unit of the work is. */
  readonly unit: string;
  /** Work that both sides do. */
  readonly task: SpeedTask;
  /** Settings of the peer; the fastest of them is what counts. `quick` runs take the first two. */
  readonly peers: readonly string[];
  /** Whether `quick` runs leave the row out, as one unit takes many seconds. */
  readonly long?: boolean;
}

const DIGITS: ExampleForm = { exampleShape: [1, 28, 28], classes: 10 };
const BYTES: ExampleForm = { exampleShape: [64], classes: 256 };

const MLP = { ...DIGITS, net: "mlp:512x3", module: ["Mlp", [784, 512, 512, 512, 10], "relu"] } as const;
const LENET = { ...DIGITS, net: "lenet", module: ["LeNet", 1, 256, 10] } as const;
const RESNET20 = {
  ...DIGITS,
  net: "resnet20",
  module: ["Resnet", "Basic", [3, 3, 3], 16, "batch", false, 1, 10],
} as const;
const VIT = { ...DIGITS, net: "vit:p4:d4:w128:h4", module: ["Vit", 1, 28, 4, 4, 128, 4, 512, 10] } as const;
const GPT = { ...BYTES, net: "gpt:d4:w128:h4:c64", module: ["Gpt", 256, 64, 4, 128, 4, 512] } as const;

const DENSE = ["eager", "compiled"];
const IMAGES = ["eager", "channels-last", "compiled", "compiled channels-last"];
const CURVED = ["curvlinops", "double backward", "forward over reverse"];

const step = { kind: "step", batch: 128, momentum: 0.9 } as const;
const evaluation = { kind: "evaluation", batch: 100, examples: 2000 } as const;
const measured = { ...MLP, batch: 100, examples: 500 } as const;

/** Rows of merges beside mergekit. */
const MERGES = [
  "linear",
  "slerp",
  "task_arithmetic",
  "ties",
  "dare_ties",
  "breadcrumbs",
  "model_stock",
  "sce",
].map(
  (method): SpeedRow => ({
    name: `merge by ${method}`,
    unit: "2 files of 64 MB",
    task: {
      kind: "merge",
      method,
      hasBase: method !== "linear" && method !== "slerp",
      isRandom: method.startsWith("dare"),
      megabytes: 64,
    },
    peers: ["mergekit"],
  }),
);

/** Rows of federated rules. */
const RULES = ["coordinate-median", "trimmed-mean", "meamed"].map(
  (rule): SpeedRow => ({
    name: `rule ${rule}`,
    unit: "50 clients, 65,536 numbers",
    task: { kind: "rule", rule, clients: 50, f: 10, elements: 65_536 },
    peers: ["numpy", "byzfl"],
  }),
);

/** Every claim of speed that is checked beside its peer: a line each. */
export const SPEED_ROWS: readonly SpeedRow[] = [
  { name: "step mlp:512x3, momentum", unit: "step", task: { ...MLP, ...step }, peers: DENSE },
  { name: "step mlp:512x3, plain", unit: "step", task: { ...MLP, ...step, momentum: 0 }, peers: DENSE },
  { name: "step lenet", unit: "step", task: { ...LENET, ...step }, peers: IMAGES },
  { name: "step resnet20", unit: "step", task: { ...RESNET20, ...step }, peers: IMAGES },
  { name: "step vit", unit: "step", task: { ...VIT, ...step, batch: 32 }, peers: DENSE },
  { name: "step gpt", unit: "step", task: { ...GPT, ...step, batch: 16 }, peers: DENSE },
  { name: "evaluation mlp:512x3", unit: "2,000 examples", task: { ...MLP, ...evaluation }, peers: DENSE },
  { name: "evaluation lenet", unit: "2,000 examples", task: { ...LENET, ...evaluation }, peers: IMAGES },
  {
    name: "evaluation resnet20",
    unit: "2,000 examples",
    task: { ...RESNET20, ...evaluation },
    peers: IMAGES,
  },
  { name: "evaluation vit", unit: "2,000 examples", task: { ...VIT, ...evaluation }, peers: DENSE },
  {
    name: "evaluation gpt",
    unit: "500 examples",
    task: { ...GPT, ...evaluation, examples: 500 },
    peers: DENSE,
  },
  { name: "Hessian product", unit: "product", task: { ...measured, kind: "product" }, peers: CURVED },
  { name: "Hessian trace", unit: "99 products", task: { ...measured, kind: "trace" }, peers: ["curvlinops"] },
  {
    name: "three Hessian eigenvalues",
    unit: "run",
    task: { ...measured, kind: "eigenvalues" },
    peers: ["curvlinops"],
    long: true,
  },
  {
    name: "Hessian density",
    unit: "80 products",
    task: { ...measured, kind: "density" },
    peers: ["pyhessian"],
    long: true,
  },
  { name: "assignment 1024", unit: "assignment", task: { kind: "assignment", size: 1024 }, peers: ["scipy"] },
  {
    name: "weight matching mlp:512x3",
    unit: "pair",
    task: { kind: "matching", widths: [784, 512, 512, 512, 10] },
    peers: ["git re-basin"],
  },
  ...MERGES,
  ...RULES,
  {
    name: "read safetensors",
    unit: "128 MB",
    task: { kind: "read", megabytes: 128 },
    peers: ["safetensors"],
  },
  {
    name: "write safetensors",
    unit: "128 MB",
    task: { kind: "write", megabytes: 128 },
    peers: ["safetensors"],
  },
  ...[2048, 4096].map(
    (size): SpeedRow => ({
      name: `16 singular values, ${size} x ${size}`,
      unit: "matrix",
      task: { kind: "largest singular values", size, rank: 16 },
      peers: ["torch", "scipy"],
    }),
  ),
  ...[256, 1024].map(
    (size): SpeedRow => ({
      name: `all singular values, ${size} x ${size}`,
      unit: "matrix",
      task: { kind: "singular values", size },
      peers: ["numpy", "torch"],
    }),
  ),
  ...[512, 1024].map(
    (size): SpeedRow => ({
      name: `polar factor, ${size} x ${size}`,
      unit: "matrix",
      task: { kind: "polar factor", size },
      peers: ["torch", "scipy"],
    }),
  ),
  {
    name: "train mlp:512x3, mnist, 3 epochs",
    unit: "training",
    task: { kind: "training", net: "mlp:512x3", widths: [784, 512, 512, 512, 10], epochs: 3 },
    peers: DENSE,
    long: true,
  },
];
