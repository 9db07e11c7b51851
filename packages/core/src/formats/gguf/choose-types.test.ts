import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { entry } from "../../invariant.ts";
import type { TensorInfo } from "../../tensor/tensor.ts";
import { chooseTypes } from "./choose-types.ts";
import { GGUF_ENCODINGS, type GgufEncoding } from "./gguf-encodings.ts";

/** A model that the script made. */
interface Model {
  readonly architecture: string;
  readonly layers: number;
  readonly width: number;
  readonly inner: number;
  readonly heads: number;
  readonly keyHeads: number;
  readonly experts: number;
  readonly tied: boolean;
}

/** Types that llama.cpp gives to tensors, made by tools/golden/gguf-types.py: a letter for each, by their names. */
const golden: Readonly<
  Record<string, { readonly model: Model; readonly types: Readonly<Record<string, string>> }>
> = JSON.parse(
  readFileSync(
    fileURLToPath(new URL("../../../test-fixtures/formats/gguf-types.json.golden", import.meta.url)),
    "utf8",
  ),
);
const VOCABULARY = 300;
const LETTERS: Readonly<Record<string, string>> = {
  ...{ F32: "f", F16: "h", Q4_0: "a", Q4_1: "b", Q5_0: "c", Q5_1: "d", Q8_0: "e", Q2_K: "2", Q3_K: "3" },
  ...{ Q4_K: "4", Q5_K: "5", Q6_K: "6", IQ4_NL: "n", IQ4_XS: "x" },
};

/** Lists the tensors that the script writes. */
function tensorsOf(model: Model): ReadonlyMap<string, TensorInfo> {
  const { width, inner, layers, heads, keyHeads } = model;
  const keys = (width * keyHeads) / heads;
  const experts = model.experts > 0 ? [model.experts] : [];
  const suffix = model.experts > 0 ? "_exps" : "";
  const shapes: [string, readonly number[]][] = [
    ["token_embd", [VOCABULARY, width]],
    ["output_norm", [width]],
  ];
  if (!model.tied) shapes.push(["output", [VOCABULARY, width]]);
  for (let layer = 0; layer < layers; layer++) {
    const ofLayer: [string, readonly number[]][] = [
      ["attn_norm", [width]],
      ["ffn_norm", [width]],
      ["attn_q", [width, width]],
      ["attn_k", [keys, width]],
      ["attn_v", [keys, width]],
      ["attn_output", [width, width]],
      [`ffn_gate${suffix}`, [...experts, inner, width]],
      [`ffn_up${suffix}`, [...experts, inner, width]],
      [`ffn_down${suffix}`, [...experts, width, inner]],
    ];
    if (model.experts > 0) ofLayer.push(["ffn_gate_inp", [...experts, width]]);
    shapes.push(
      ...ofLayer.map(([name, shape]): [string, readonly number[]] => [`blk.${layer}.${name}`, shape]),
    );
  }
  return new Map(shapes.map(([name, shape]) => [`${name}.weight`, { dtype: "f32", shape }]));
}

function metadataOf({ architecture, layers, heads, keyHeads, experts }: Model): Record<string, string> {
  return {
    "general.architecture": architecture,
    [`${architecture}.block_count`]: String(layers),
    [`${architecture}.attention.head_count`]: String(heads),
    [`${architecture}.attention.head_count_kv`]: String(keyHeads),
    ...(experts > 0 && { [`${architecture}.expert_count`]: String(experts) }),
  };
}

describe("chooseTypes()", () => {
  it.each(Object.entries(golden))(
    "gives tensors of the %s model the types that llama.cpp gives them",
    (_, { model, types }) => {
      const tensors = tensorsOf(model);
      const lettersOf = (encoding: GgufEncoding, hasImportance: boolean): string => {
        const chosen = chooseTypes({ tensors, metadata: metadataOf(model), hasImportance }, encoding);
        // Python sorts by code points, as this does.
        return [...tensors.keys()]
          .sort()
          .map((name) => LETTERS[chosen.get(name)?.type ?? "F32"])
          .join("");
      };
      for (const encoding of GGUF_ENCODINGS) {
        const plain = entry(new Map(Object.entries(types)), encoding, "encoding");
        expect(lettersOf(encoding, false), encoding).toBe(plain);
        expect(lettersOf(encoding, true), `${encoding} with importance`).toBe(types[`${encoding}+`] ?? plain);
      }
    },
  );

  it("gives all matrices of other checkpoints the main type, and says what does not fit", () => {
    const tensors = new Map<string, TensorInfo>([
      ["fc.kernel", { dtype: "f32", shape: [4, 256] }],
      ["conv", { dtype: "f32", shape: [4, 3, 64] }],
      ["odd", { dtype: "f32", shape: [4, 7] }],
      ["bias", { dtype: "f32", shape: [256] }],
    ]);
    expect(
      Object.fromEntries(chooseTypes({ tensors, metadata: {}, hasImportance: false }, "q4_k_m")),
    ).toEqual({
      "fc.kernel": { type: "Q4_K", instead: undefined },
      conv: { type: "Q5_0", instead: "Q4_K" },
      odd: { type: "F16", instead: "Q4_K" },
    });
  });
});
