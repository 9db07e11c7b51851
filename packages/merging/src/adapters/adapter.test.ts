import { createCheckpoint, createTensor, MismatchError, UnsupportedError } from "@isthmus/core";
import { describe, expect, test } from "vitest";
import { createAdapter } from "./adapter.ts";
import { parseAdapterConfig } from "./adapter-config.ts";

const PREFIX = "base_model.model.";

/** An adapter with tensors of these shapes, by name. */
function adapterOf(shapes: Readonly<Record<string, readonly number[]>>, settings = {}) {
  const tensors = Object.entries(shapes).map(([name, shape]) => {
    const data = new Float32Array(shape.reduce((size, extent) => size * extent, 1));
    return [name, createTensor("f32", shape, data)] as const;
  });
  const config = parseAdapterConfig({ peft_type: "LORA", r: 2, lora_alpha: 6, ...settings }, "x");
  return createAdapter("x", createCheckpoint(new Map(tensors)), config);
}

const thrownBy = (make: () => unknown): unknown => {
  try {
    make();
  } catch (error) {
    return error;
  }
  return undefined;
};

describe("createAdapter()", () => {
  test("refuses settings of DoRA without lengths of rows", () => {
    const factors = { "q.lora_A.weight": [2, 3], "q.lora_B.weight": [4, 2] };
    expect(() => adapterOf(factors, { use_dora: true })).toThrow(/settings say "use_dora"/);
    const lengths = { "q.lora_magnitude_vector": [4] };
    expect(adapterOf({ ...factors, ...lengths }, { use_dora: true }).modules.size).toBe(1);
  });

  test("takes names with the prefix of PEFT and without, of named adapters and of the default one", () => {
    const names = [
      ["lora_A.weight", "lora_B.weight", "lora_B.bias", "lora_magnitude_vector"],
      [
        "lora_A.default.weight",
        "lora_B.default.weight",
        "lora_B.default.bias",
        "lora_magnitude_vector.default",
      ],
    ];
    for (const prefix of [PREFIX, ""]) {
      for (const [a, b, bias, magnitude] of names) {
        const name = (part: string | undefined) => `${prefix}layers.0.q.${part}`;
        const { modules, replaced } = adapterOf({
          [name(a)]: [2, 3],
          [name(b)]: [4, 2],
          [name(bias)]: [4],
          [name(magnitude)]: [4],
        });
        expect([...modules.keys()]).toEqual(["layers.0.q"]);
        expect(modules.get("layers.0.q")).toEqual({
          name: "layers.0.q",
          kind: "linear",
          a: name(a),
          b: name(b),
          bias: name(bias),
          magnitude: name(magnitude),
          rank: 2,
          alpha: undefined,
          scale: 3,
          isTransposed: false,
        });
        expect(replaced.size).toBe(0);
      }
    }
    const lengths = adapterOf({
      "q.lora_A.weight": [2, 3],
      "q.lora_B.weight": [4, 2],
      "q.lora_magnitude_vector.default.weight": [4],
    });
    expect(lengths.modules.get("q")?.magnitude).toBe("q.lora_magnitude_vector.default.weight");
  });

  test("knows changes of embeddings, which are transposed as all are if settings say so", () => {
    for (const end of ["", ".default"]) {
      const { modules } = adapterOf({
        [`${PREFIX}embed.lora_embedding_A${end}`]: [2, 7],
        [`${PREFIX}embed.lora_embedding_B${end}`]: [3, 2],
      });
      expect(modules.get("embed")).toMatchObject({ kind: "embedding", isTransposed: true, bias: undefined });
    }
    const shapes = { "q.lora_A.weight": [2, 3], "q.lora_B.weight": [4, 2] };
    expect(adapterOf(shapes, { fan_in_fan_out: true }).modules.get("q")?.isTransposed).toBe(true);
  });

  test("takes other tensors as replacements of those of the network", () => {
    const keys = [
      `${PREFIX}head.modules_to_save.weight`,
      "head.modules_to_save.default.bias",
      "q.base_layer.bias",
      "norm.weight",
    ];
    const { replaced, modules, naming, source } = adapterOf(
      Object.fromEntries(keys.map((key) => [key, [2]])),
    );
    expect([...replaced.keys()]).toEqual(["head.weight", "head.bias", "q.bias", "norm.weight"]);
    expect([...replaced.values()]).toEqual(keys);
    expect([modules.size, naming, source]).toEqual([0, "PEFT", "x"]);
  });

  test("closes its checkpoint", async () => {
    let closed = 0;
    const checkpoint = {
      ...createCheckpoint({ w: createTensor("f32", [1], new Float32Array(1)) }),
      close: async () => {
        closed++;
      },
    };
    const config = parseAdapterConfig({ peft_type: "LORA", r: 2, lora_alpha: 6 }, "x");
    await createAdapter("x", checkpoint, config).close();
    expect(closed).toBe(1);
  });

  test.each(["q.lora_E", "embed.trainable_tokens_delta", "embed.token_adapter.weight"])(
    "refuses %s, of another variant of LoRA",
    (key) => {
      const error = thrownBy(() => adapterOf({ [key]: [2] }));
      expect(error).toBeInstanceOf(UnsupportedError);
      expect(error).toMatchObject({ feature: key });
      expect(String(error)).toContain(`as "${key}" belongs to a variant of LoRA that is not handled`);
    },
  );

  test("says which of the two matrices a module lacks", () => {
    for (const [own, missing] of [
      ["lora_A", "lora_B"],
      ["lora_B", "lora_A"],
    ]) {
      const error = thrownBy(() => adapterOf({ [`q.${own}.weight`]: [2, 2] }));
      expect(error).toBeInstanceOf(MismatchError);
      expect(error).toMatchObject({ parameters: ["q"] });
      expect(String(error)).toContain(
        `Cannot use adapter "x" as module "q" must have both lora_A and lora_B: it lacks ${missing}`,
      );
    }
    expect(thrownBy(() => adapterOf({}))).toMatchObject({ parameters: [] });
  });

  test.each([
    [[2], [4, 2]],
    [[2, 3], [2]],
    [[], [4, 2]],
    [
      [0, 3],
      [4, 0],
    ],
    [
      [2, 3],
      [4, 2, 2],
    ],
  ])("refuses matrices of shapes %j and %j, which do not multiply", (a, b) => {
    const error = thrownBy(() => adapterOf({ "q.lora_A.weight": a, "q.lora_B.weight": b }));
    expect(error).toMatchObject({ parameters: ["q"] });
    expect(String(error)).toContain(`must be [rank, in] and [out, rank]: they are [${a}] and [${b}]`);
  });

  test("takes kernels of convolutions, whose second matrix has windows of one element", () => {
    const { modules } = adapterOf({ "q.lora_A.weight": [2, 3, 5, 5], "q.lora_B.weight": [4, 2, 1, 1] });
    expect(modules.get("q")?.rank).toBe(2);
  });
});
