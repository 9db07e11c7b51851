import { join } from "node:path";
import { DTYPES, type DType, entry } from "@isthmus/core";
import type { Dice } from "../dice.ts";
import { fixture } from "../fixtures.ts";
import { mutateBytes } from "../mutate/mutate-bytes.ts";
import { mutateJson, writeJson } from "../mutate/mutate-json.ts";
import { readTensors } from "../read-tensors.ts";
import type { FuzzInput, FuzzTarget } from "../target.ts";

const FILE = "x.safetensors";
const CONFIG = "config.json";

/** A safetensors file, in its two parts, with the settings of the model beside it. */
interface Seed {
  readonly header: object;
  readonly body: Uint8Array;
  readonly config?: object | undefined;
}

const settingsOf = (text: string) => ({ __metadata__: { _quantization_metadata: text } });

/** A weight of ComfyUI with everything that may stand beside it. */
const COMFY: Seed = {
  header: {
    ...settingsOf('{"layers":{"a":{"format":"float8_e4m3fn"}}}'),
    "a.weight": { dtype: "F8_E4M3", shape: [2, 2], data_offsets: [0, 4] },
    "a.scale_weight": { dtype: "F32", shape: [], data_offsets: [4, 8] },
    "a.comfy_quant": { dtype: "U8", shape: [2], data_offsets: [8, 10] },
    scaled_fp8: { dtype: "F8_E4M3", shape: [2], data_offsets: [10, 12] },
  },
  body: Buffer.from([0x38, 0x40, 0xb8, 0, 0, 0, 0x80, 0x3f, 0x7b, 0x7d, 0, 0]),
};

/** Makes safetensors files of 8-bit floats whose scales have other shapes, types and names. */
export function createScaledTarget(): FuzzTarget {
  const seed = fixture("packages/core/test-fixtures/formats/fp8.safetensors");
  const length = Number(seed.readBigUInt64LE(0));
  const header = JSON.parse(seed.toString("utf8", 8, 8 + length)) as object;
  const seeds = [{ header, body: seed.subarray(8 + length) }, COMFY];
  return createTarget("scaled floats", seeds, function* () {
    yield fileOf({ ...COMFY, header: { ...COMFY.header, ...settingsOf("[".repeat(4000)) } });
    yield fileOf({ ...COMFY, header: { ...COMFY.header, ...settingsOf('{"layers":{"__proto__":{}}}') } });
    // Rows and blocks of tensors without elements.
    for (const [weight, scale] of [
      [
        [0, 0],
        [0, 0],
      ],
      [[0, 128], [0]],
      [
        [2 ** 40, 0],
        [2 ** 33, 0],
      ],
      [[0], [0]],
    ]) {
      yield fileOf({
        header: {
          "a.weight": { dtype: "F8_E4M3", shape: weight, data_offsets: [0, 0] },
          "a.weight_scale": { dtype: "F32", shape: scale, data_offsets: [0, 0] },
        },
        body: Buffer.alloc(0),
      });
    }
  });
}

/** Makes packed weights of bitsandbytes, GPTQ, AWQ, compressed-tensors and MXFP4 whose parts do not fit. */
export function createQuantizedTarget(): FuzzTarget {
  const golden = JSON.parse(
    fixture("packages/core/test-fixtures/formats/quantized.json.golden").toString(),
  ) as Readonly<Record<string, { readonly tensors: PackedTensors; readonly config?: object }>>;
  const seeds = Object.values(golden).map(({ tensors, config }) => ({ ...packTensors(tensors), config }));
  return createTarget("quantised weights", seeds, function* () {
    const state = (text: string) =>
      fileOf(
        packTensors({
          ...entry(new Map(Object.entries(golden)), "nf4 of bf16", "case").tensors,
          ...stateOf(text),
        }),
      );
    yield state("[".repeat(4000));
    yield state(" ".repeat(1_000_000));
    yield state('{"blocksize":1,"dtype":"float32","shape":[9007199254740991,9007199254740991]}');
    yield state('{"blocksize":64,"dtype":"__proto__","shape":[4,32]}');
    // Words of weights without rows or columns.
    for (const shape of [
      [0, 0],
      [0, 2 ** 40],
      [2 ** 40, 0],
    ]) {
      const parts = ["qweight", "qzeros", "scales"].map((part): [string, object] => [
        `x.${part}`,
        { dtype: part === "scales" ? "F16" : "I32", shape, data_offsets: [0, 0] },
      ]);
      yield fileOf({ header: Object.fromEntries(parts), body: Buffer.alloc(0) });
    }
  });
}

type PackedTensors = Readonly<
  Record<string, { readonly dtype: DType; readonly shape: readonly number[]; readonly data: string }>
>;

function stateOf(text: string): PackedTensors {
  const data = Buffer.from(text);
  return {
    "x.weight.quant_state.bitsandbytes__nf4": {
      dtype: "u8",
      shape: [data.length],
      data: data.toString("base64"),
    },
  };
}

function packTensors(tensors: PackedTensors): Seed {
  let end = 0;
  const parts = Object.entries(tensors).map(([name, { dtype, shape, data }]) => {
    const bytes = Buffer.from(data, "base64");
    const begin = end;
    end += bytes.length;
    return { name, bytes, info: { dtype: DTYPES[dtype].safetensors, shape, data_offsets: [begin, end] } };
  });
  const header = Object.fromEntries(parts.map(({ name, info }) => [name, info]));
  return { header, body: Buffer.concat(parts.map(({ bytes }) => bytes)) };
}

function createTarget(name: string, seeds: readonly Seed[], bombs: () => Iterable<FuzzInput>): FuzzTarget {
  return {
    name,
    valid: () => seeds.map(fileOf),
    bombs,
    make(dice: Dice) {
      const { header, body, config } = dice.pick(seeds);
      const text = writeJson(dice, mutateJson(dice, header));
      const changed =
        config !== undefined && dice.chance(0.2)
          ? mutateJson(dice, { quantization_config: config })
          : undefined;
      return {
        [FILE]: encode(text, dice.chance(0.2) ? mutateBytes(dice, body) : body),
        ...(changed === undefined ? {} : { [CONFIG]: writeJson(dice, changed) }),
      };
    },
    read: (folder) => readTensors(join(folder, FILE)),
  };
}

function fileOf({ header, body, config }: Seed): FuzzInput {
  const file = encode(JSON.stringify(header), body);
  return config === undefined
    ? { [FILE]: file }
    : { [FILE]: file, [CONFIG]: JSON.stringify({ quantization_config: config }) };
}

function encode(header: string | Uint8Array, body: Uint8Array): Buffer {
  const json = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, body]);
}
