import { entry } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import {
  explainMixing,
  type MixingGroup,
  type MixingSymmetries,
  occurrencesOf,
  proveSymmetries,
  verifyMixing,
} from "@isthmus/symmetry";
import { networkOfConfig } from "@isthmus/zoo";
import { describe, expect, test } from "vitest";
import { discoverAll } from "../../../test/helpers/discover-all.ts";
import { ROTARY_FORMS, type RotaryTrait, rotaryNetwork } from "../../../test/helpers/rotary-networks.ts";
import { randomMixture } from "../src/mixing/random-mixture.ts";

const engine = createOnnxRuntimeEngine();

const pairsOf = ({ spaces }: MixingSymmetries) => spaces.filter(({ group }) => group === "complex");

/** Lists the places of each pair along the axis of units of a weight `[inputs, units]` or bias `[units]`. */
function placesOf({ weights, spaces }: MixingSymmetries, name: string): string[] {
  const layout = entry(weights, name, "layout");
  return occurrencesOf(layout, spaces)
    .filter(({ space }) => spaces[space]?.group === "complex")
    .map(({ space, isInverse, bases }) => `${space} ${isInverse ? "behind" : "in front"} ${bases.join()}`)
    .sort();
}

describe("discoverMixing() of rotary embeddings", () => {
  test.each(ROTARY_FORMS)("finds and proves a number for each pair and head of keys: %s", async (form) => {
    const graph = rotaryNetwork(form);
    const symmetries = await discoverAll(graph);
    expect(pairsOf(symmetries.mixing)).toHaveLength(4);
    const verified = await verifyMixing({ graph, engine }, symmetries, { seed: 1 });
    expect(verified).toMatchObject({ passed: true, firstFailure: undefined });
  });

  test.each([
    ["halves", 2],
    ["interleaved", 1],
  ] as const)("pairs dimensions as they are laid out: %s", async (form, distance) => {
    const { mixing } = await discoverAll(rotaryNetwork(form));
    const first = mixing.spaces.findIndex(({ group }) => group === "complex");
    // Heads of queries 0 and 1 read keys 0, the others keys 1.
    const expected = (heads: readonly number[], side: string) =>
      heads.flatMap((head, index) =>
        [0, 1].map((pair) => {
          const key = heads.length === 4 ? Math.floor(index / 2) : index;
          const begin = head * 6 + (distance === 2 ? pair : 2 * pair);
          return `${first + 2 * key + pair} ${side} ${begin},${begin + distance}`;
        }),
      );
    for (const name of ["q.weight", "q.bias"]) {
      expect(placesOf(mixing, name)).toEqual(expected([0, 1, 2, 3], "in front").sort());
    }
    for (const name of ["k.weight", "k.bias"]) {
      expect(placesOf(mixing, name)).toEqual(expected([0, 1], "behind").sort());
    }
  });

  test.each([
    { form: "halves", ofHead: [0, 2, 1, 3, -1, -1], alone: { Slice: 4, Neg: 2 } },
    { form: "interleaved", ofHead: [0, 1, 2, 3, -1, -1], alone: { Slice: 4, Neg: 2, Unsqueeze: 4 } },
  ] as const)(
    "numbers parts behind all units, and says which values hold one alone: $form",
    async ({ form, ofHead, alone }) => {
      const { mixing, permutations } = await discoverAll(rotaryNetwork(form));
      const { units } = permutations.spec;
      const pairs = pairsOf(mixing);
      expect(pairs.map(({ symmetry, cell, firstUnit, size }) => [symmetry, cell, firstUnit, size])).toEqual(
        [0, 1, 2, 3].map((cell) => ["q.rotary", cell, units + 2 * cell, 2]),
      );
      // Units in each head, whose last two dimensions are not turned: queries 0 and 1 share the numbers of key 0.
      const inHeads = (keys: readonly number[]) =>
        keys.flatMap((key) => ofHead.map((unit) => (unit < 0 ? -1 : units + 4 * key + unit)));
      const numbered = new Map(
        [...mixing.weights].map(([name, { fields }]) => [
          name,
          fields.filter((field) => field.units.some((unit) => unit >= units)),
        ]),
      );
      for (const [name, keys] of [
        ["q.weight", [0, 0, 1, 1]],
        ["q.bias", [0, 0, 1, 1]],
        ["k.weight", [0, 1]],
        ["k.bias", [0, 1]],
      ] as const) {
        const side = name.startsWith("k") ? 1 : 0;
        const [field, ...others] = numbered.get(name) ?? [];
        expect([...(field?.units ?? [])]).toEqual(inHeads(keys));
        expect([...(field?.inverse ?? [])]).toEqual(inHeads(keys).map((unit) => (unit < 0 ? 0 : side)));
        expect(others).toEqual([]);
      }
      for (const name of ["v.weight", "o.weight"]) expect(numbered.get(name)).toEqual([]);
      const counts: Record<string, number> = {};
      for (const name of mixing.unpredictable) {
        const [op = ""] = name.split(".");
        counts[op] = (counts[op] ?? 0) + 1;
      }
      expect(counts).toEqual(alone);
      for (const { fields } of [...mixing.weights.values(), ...mixing.values.values()]) {
        expect(fields.length).toBeGreaterThan(0);
        for (const field of fields) expect(field.units.some((unit) => unit >= 0)).toBe(true);
      }
    },
  );

  test.each<RotaryTrait>([
    "two angles in a pair",
    "gain on keys",
    "keys laid out the other way round",
    "half of a head read twice",
    "a token late",
    "keys seen elsewhere",
    "sines added",
  ])("finds none where there is none: %s", async (trait) => {
    const graph = rotaryNetwork("halves", trait);
    const symmetries = await discoverAll(graph);
    expect(pairsOf(symmetries.mixing)).toEqual([]);
    expect(await verifyMixing({ graph, engine }, symmetries, { seed: 1 })).toMatchObject({ passed: true });
  });

  test("finds numbers also where keys are turned backwards", async () => {
    const graph = rotaryNetwork("halves", "keys turned backwards");
    const symmetries = await discoverAll(graph);
    expect(pairsOf(symmetries.mixing)).toHaveLength(4);
    expect(await verifyMixing({ graph, engine }, symmetries, { seed: 1 })).toMatchObject({ passed: true });
  });

  test("names pairs after the first weight that holds them, without the end of its name alone", async () => {
    const graph = rotaryNetwork("halves");
    const rename = (name: string) => (name === "q.weight" ? "no.bias.q.weight" : name);
    const renamed = {
      ...graph,
      weights: new Map([...graph.weights].map(([name, weight]) => [rename(name), weight])),
      nodes: graph.nodes.map((node) => ({ ...node, inputs: node.inputs.map(rename) })),
    };
    const { mixing } = await discoverAll(renamed);
    expect(new Set(pairsOf(mixing).map(({ symmetry }) => symmetry))).toEqual(new Set(["no.bias.q.rotary"]));
  });

  test("explains each layer in one row, and proves all", async () => {
    const graph = rotaryNetwork("halves");
    const { permutations, ...beyond } = await discoverAll(graph);
    const { spaces } = explainMixing(permutations.spec, beyond.mixing);
    const weights = ["q.weight:1", "q.bias:0", "k.weight:1", "k.bias:0"];
    const rows = spaces.filter(({ group }) => group === "complex");
    expect(rows).toMatchObject([{ symmetry: "q.rotary", size: 2, cells: 4, norms: 0 }]);
    expect(rows[0]?.axes.map(({ tensor, axis }) => `${tensor}:${axis}`).sort()).toEqual(weights.sort());
    const proof = await proveSymmetries({ graph, engine }, permutations, { seed: 1, ...beyond });
    expect(proof).toMatchObject({ passed: true });
  });
});

const LLAMA = {
  model_type: "llama",
  hidden_size: 32,
  intermediate_size: 40,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  vocab_size: 30,
  max_position_embeddings: 16,
  rms_norm_eps: 1e-5,
};

const GPT_NEOX = {
  model_type: "gpt_neox",
  hidden_size: 32,
  intermediate_size: 40,
  num_hidden_layers: 1,
  num_attention_heads: 4,
  vocab_size: 30,
  max_position_embeddings: 16,
  rotary_pct: 0.5,
};

const QWEN3 = { ...LLAMA, model_type: "qwen3", head_dim: 8 };

describe("discoverMixing() of models", () => {
  test.each([
    ["grouped queries", LLAMA, { complex: 16, invertible: 4, orthogonal: 1 }],
    // Half of the dimensions of a head are turned, the others may be mixed by any invertible matrix.
    ["parallel, partly turned", GPT_NEOX, { complex: 8, invertible: 8, "orthogonal-keeping-ones": 1 }],
    ["norms of heads", QWEN3, { invertible: 4, orthogonal: 1 }],
  ] as const)("finds and proves what may be mixed: %s", async (_, config, expected) => {
    const { graph } = networkOfConfig(config, { length: 6 });
    const symmetries = await discoverAll(graph);
    const counts: Partial<Record<MixingGroup, number>> = {};
    for (const { group } of symmetries.mixing.spaces) counts[group] = (counts[group] ?? 0) + 1;
    expect(counts).toEqual(expected);
    const verified = await verifyMixing({ graph, engine }, symmetries, { seed: 1 });
    expect(verified).toMatchObject({ passed: true, firstFailure: undefined });
  });
});

describe("verifyMixing() of rotary embeddings", () => {
  test.each(["invertible", "orthogonal"] as const)("catches too large a group: %s", async (group) => {
    const graph = rotaryNetwork("halves");
    const { mixing, ...known } = await discoverAll(graph);
    const spaces = mixing.spaces.map((space) => (space.group === "complex" ? { ...space, group } : space));
    // Half of the orthogonal matrices are rotations, which would do.
    const results = [1, 2, 3].map((seed) =>
      verifyMixing({ graph, engine }, { ...known, mixing: { ...mixing, spaces } }, { seed }),
    );
    expect((await Promise.all(results)).some(({ passed }) => !passed)).toBe(true);
  });

  test.each(["k.bias", "q.weight"])("catches a weight that is left as it is: %s", async (name) => {
    const graph = rotaryNetwork("interleaved");
    const { mixing, ...known } = await discoverAll(graph);
    const weights = new Map([...mixing.weights].filter(([other]) => other !== name));
    const wrong = { ...known, mixing: { ...mixing, weights } };
    expect(await verifyMixing({ graph, engine }, wrong, { seed: 1 })).toMatchObject({ passed: false });
  });
});

describe("randomMixture()", () => {
  test.each(["complex", "unit-complex"] as const)("draws numbers and their inverses: %s", (group) => {
    const space = { symmetry: "pair", cell: 0, firstUnit: 0, size: 2, group };
    for (let seed = 0; seed < 20; seed++) {
      const { matrices, inverses } = randomMixture([space], seed);
      const [[matrix], [inverse]] = [matrices, inverses];
      if (!(matrix instanceof Float64Array && inverse instanceof Float64Array))
        throw new Error("no elements");
      const [a = 0, b = 0, c = 0, d = 0] = matrix;
      expect([d, c]).toEqual([a, -b]);
      const square = a * a + b * b;
      if (group === "unit-complex") expect(square).toBeCloseTo(1, 12);
      inverse.forEach((value, i) => {
        expect(value * square).toBeCloseTo([a, b, c, d][i] ?? 0, 12);
      });
    }
  });
});
