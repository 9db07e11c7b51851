import type { ComparisonResult } from "@isthmus/recipe";

const blocks = Array.from({ length: 12 }, (_, layer) => `model.layers.${layer}`);
/** In the order in which files sort them. */
const names = ["lm_head", "model.embed_tokens", ...blocks.toSorted(), "model.norm"].flatMap((block) =>
  block.includes("layers") ? [`${block}.attn.weight`, `${block}.norm.weight`] : [`${block}.weight`],
);
const positions = [
  [0, 1],
  [0, 2],
  [0, 3],
  [1, 2],
  [1, 3],
  [2, 3],
] as const;
const shape = (rows: number) => [rows, 64];

function traitsOf(source: string, index: number): ComparisonResult["networks"][number] {
  return {
    source,
    tensors: names.length,
    parameters: 1_245_248 + 768 * Number(index === 2),
    dtypes: index === 2 ? { f32: 26, f16: 1 } : { f32: 27 },
    quantized: null,
    coarse: { matrices: index, of: 14 },
    adapter: false,
    unmerged: null,
    madeOf: [],
    tied: index === 2,
    vocabulary: { tensor: "model.embed_tokens.weight", rows: index === 2 ? 512 : 500 },
    nonFinite: index === 1 ? [{ tensor: "lm_head.weight", count: 3 }] : [],
    facts:
      index === 0
        ? { modelType: "llama", tied: false, quantization: null, chat: true, adapter: false }
        : null,
  };
}

function pairOf(a: number, b: number): ComparisonResult["pairs"][number] {
  return {
    a,
    b,
    onlyA: b === 2 ? ["model.layers.3.norm.weight"] : [],
    onlyB: b === 2 ? ["extra.bias"] : [],
    shapes: b === 2 ? [{ name: "lm_head.weight", a: shape(500), b: shape(512) }] : [],
    dtypes: b === 2 ? [{ name: "model.layers.0.attn.weight", a: "f32", b: "f16" }] : [],
    shared: { tensors: 0.99, parameters: 0.98 },
    identical: false,
    offset: null,
    norms: [51.2, 51.9],
    distance: 0.1 + 0.03 * (a + b),
    cosine: 0.99 - 0.01 * (a + b),
    kinship: 0.98,
    matrices: 14,
    growth: { kurtosis: b === 3 ? 0.25 : 0.5, norm: 0.5, length: 1.5 },
    moved: null,
    vocabulary: {
      tensor: "model.embed_tokens.weight",
      rows: [500, b === 2 ? 512 : 500],
      kinship: 0.97,
      moved: b === 2 ? 0.25 : null,
    },
    alignment: b === 3 ? { before: 0.2, after: 0.19, gain: 0.05 } : null,
    tensors: names.map((name, depth) => ({
      name,
      distance: depth === 3 ? null : 0.05 + (0.01 + 0.002 * (a + b)) * depth,
      cosine: depth === 3 ? null : 0.99,
      kinship: name.includes("norm") ? null : 0.98,
      sampled: 1,
    })),
  };
}

/** Advice to merge steps that have little in common by `iso_c`. */
const advice: ComparisonResult["advice"] = {
  rule: "unrelated steps",
  method: "iso_c",
  parameters: { scale: 0.5 },
  align: false,
  base: 3,
  networks: [0, 1, 2],
  reason: "the steps have little in common (mean cosine of steps 0.10)",
  signs: {
    verdict: "same ancestor",
    adapters: "none",
    networks: 3,
    kinship: 0.98,
    distance: 0.25,
    cosine: 0.1,
    conflict: 0.47,
    length: 0.15,
    unequal: 1.9,
    nonFinite: 1,
    gradients: null,
  },
  next: [{ purpose: "the merge itself", command: "isthmus merge advice.yaml -o merged.safetensors" }],
};

/** Three networks made from a base, one of them with a larger vocabulary, an own head and another type. */
export function comparisonResult(): ComparisonResult {
  const sources = ["math", "code", "runs/a/model", "base"].map((name) => `${name}.safetensors`);
  return {
    kind: "comparison",
    networks: sources.map(traitsOf),
    base: 3,
    pairs: positions.map(([a, b]) => pairOf(a, b)),
    taskVectors: {
      base: 3,
      guessed: false,
      networks: [0, 1, 2],
      lengths: [0.11, 0.13, 0.21],
      cosines: [
        [1, 0, -0.2],
        [0, 1, 0.5],
        [-0.2, 0.5, 1],
      ],
      conflicts: [
        [0, 0.5, 0.6],
        [0.5, 0, 0.3],
        [0.6, 0.3, 0],
      ],
    },
    sampled: 0.42,
    seed: 0,
    verdict: "same ancestor",
    confidence: 0.97,
    verdicts: positions.map(([a, b]) => ({
      a,
      b,
      verdict: "same ancestor",
      adapters: "none",
      confidence: 0.97,
      evidence: "kinship 0.98 over 14 matrices",
    })),
    findings: [
      {
        severity: "error",
        networks: [2],
        message: 'the rows of tokens of network 3 are in no common order ("model.embed_tokens.weight")',
        advice: "put them in one order by a recipe with tokenizer: { source: union }",
      },
      { severity: "warning", networks: [0, 2], message: "1 tensor differs in shape", advice: "merge others" },
    ],
    descent: {
      parents: [3, 0, 3, null],
      support: [0.75, 0.5, 0.75, null],
      distances: [0.19, 0.13, 0.25, null],
      rooted: true,
    },
    advice,
  };
}
