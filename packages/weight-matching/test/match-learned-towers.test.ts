import { createCheckpoint, createRandom, createTensor, type Tensor } from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import { type DataSet, type Graph, randomWeights } from "@isthmus/graph";
import { discoverSymmetries, permute, randomAlignment, verifyAlignment } from "@isthmus/symmetry";
import { matchLearned, matchWeights } from "@isthmus/weight-matching";
import { networkOfConfig } from "@isthmus/zoo";
import { describe, expect, test } from "vitest";
import { distance } from "../../../test/helpers/distance.ts";
import { withArrayObjective } from "../../data/src/array-objective.ts";
import { EXAMPLES, engine, scramble } from "./learned-networks.ts";

const SMALL = { hidden_size: 16, intermediate_size: 12, num_hidden_layers: 1, num_attention_heads: 2 };
const TEXT = { ...SMALL, vocab_size: 11, max_position_embeddings: 8, eos_token_id: 2 };
const VISION = { ...SMALL, hidden_size: 12, image_size: 8, patch_size: 4 };
const TOWERS = { text_config: TEXT, vision_config: VISION };
const STACKS = ["encoder", "decoder"].map((stack) => ({
  ...{ [`${stack}_layers`]: 1, [`${stack}_attention_heads`]: 2, [`${stack}_ffn_dim`]: 12 },
}));

/**
 * Fields of each family, the spaces of its group beyond permutations, and the share of the distance that the closed
 * form leaves: streams that are permuted alone are found only in part, as of GPT-2. The embedding that images and
 * texts share is an orthogonal space, in SigLIP one that keeps ones, as the probe's head has a norm on it.
 */
const FAMILIES: readonly (readonly [string, object, object, number])[] = [
  [
    "modernbert",
    { ...SMALL, num_hidden_layers: 2, vocab_size: 11, local_attention: 4, global_attn_every_n_layers: 2 },
    { invertible: 4, complex: 16 },
    0.4,
  ],
  [
    "whisper",
    {
      ...{ vocab_size: 11, d_model: 16, num_mel_bins: 5, max_source_positions: 6, max_target_positions: 8 },
      ...Object.assign({}, ...STACKS),
      ...{ decoder_start_token_id: 1, pad_token_id: 0 },
    },
    { invertible: 12 },
    0.4,
  ],
  [
    "clip",
    { ...TOWERS, projection_dim: 10 },
    { invertible: 8, orthogonal: 1, "orthogonal-keeping-ones": 1 },
    0.4,
  ],
  [
    "siglip",
    { ...TOWERS, text_config: { ...TEXT, projection_size: 12 } },
    { invertible: 12, "orthogonal-keeping-ones": 3 },
    1e-5,
  ],
];

/** Draws examples for the inputs of a graph: pairs of images and texts, or features, texts and tokens. */
function examplesOf(graph: Graph, isPaired: boolean): DataSet {
  const random = createRandom(5, "examples");
  const count = isPaired ? 8 * EXAMPLES : EXAMPLES;
  const arrays = graph.inputs.map(({ name, dtype, shape = [] }): [string, Tensor] => {
    const extents = [count, ...shape.slice(isPaired ? 2 : 1).map(Number)];
    const size = extents.reduce((product, extent) => product * extent, 1);
    if (dtype === "f32")
      return [
        name,
        createTensor(
          "f32",
          extents,
          Float32Array.from({ length: size }, () => random.normal()),
        ),
      ];
    return [
      name,
      createTensor(
        "i64",
        extents,
        BigInt64Array.from({ length: size }, () => BigInt(random.integer(11))),
      ),
    ];
  });
  const [[inputName, first], ...features] = arrays as [[string, Tensor], ...[string, Tensor][]];
  const labels = inputName === "ids" ? first : features[0]?.[1];
  const data = createDataSet(first, isPaired ? undefined : labels, {
    inputName,
    features: new Map(features),
  });
  return withArrayObjective(
    data,
    isPaired
      ? { kind: "paired", asks: graph.name === "siglip" ? "each" : "best" }
      : { kind: "continued", start: 1 },
  );
}

describe.each(FAMILIES)("networks of %s", (model_type, fields, found, share) => {
  const isPaired = model_type === "clip" || model_type === "siglip";
  const { graph } = networkOfConfig({ ...fields, model_type });
  const data = examplesOf(graph, isPaired);

  test("matchWeights() recovers a planted permutation", async () => {
    const symmetries = await discoverSymmetries({ graph, engine });
    const a = createCheckpoint(randomWeights(graph, 1), {}, "a");
    const planted = permute(randomAlignment(symmetries.spec, 3), a, symmetries.spec);
    expect(await distance(a, planted)).toBeGreaterThan(100);
    expect(await verifyAlignment({ graph, engine }, [a, planted], { seed: 3 })).toMatchObject({
      passed: true,
    });
    const { alignment } = await matchWeights({ ...symmetries, graph, engine }, [a, planted], {
      seed: 0,
      restarts: 2,
    });
    expect(await distance(a, permute(alignment, planted, symmetries.spec))).toBe(0);
  });

  test("matchLearned() brings a planted element of the whole group nearer, and changes no function", async () => {
    const symmetries = await discoverSymmetries({ graph, engine });
    const a = createCheckpoint(randomWeights(graph, 2), {}, "a");
    const planted = await scramble(graph, a, 2);
    const options = { seed: 0, steps: 0, batchSize: 16, streamExamples: EXAMPLES };
    const { transform, spaces } = await matchLearned(
      { graph, engine, symmetries },
      [a, planted],
      data,
      options,
    );
    expect(spaces).toMatchObject(found);
    const aligned = await transform(planted);
    expect((await distance(a, aligned)) / (await distance(a, planted))).toBeLessThan(share);
    expect(await verifyAlignment({ graph, engine }, [planted, aligned], { seed: 3 })).toMatchObject({
      passed: true,
    });
  });
});
