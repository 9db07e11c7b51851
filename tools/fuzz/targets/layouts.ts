import { join } from "node:path";
import { openCheckpoint } from "@isthmus/core";
import { toDiffusersLayout, toOriginalLayout } from "@isthmus/merging";
import { fileOf, LAYOUT_CASES } from "../../../packages/merging/test/layout-files.ts";
import type { Dice } from "../dice.ts";
import { mutateJson } from "../mutate/mutate-json.ts";
import { readAll } from "../read-tensors.ts";
import type { FuzzInput, FuzzTarget } from "../target.ts";
import { encodeSafetensors } from "./safetensors.ts";

const FILE = "x.safetensors";

/** Most elements of a tensor, of zeros. */
const MOST = 2 ** 14;

type Shapes = Readonly<Record<string, unknown>>;

/** Makes single files of diffusion models with other names or shapes, and converts their layout to and fro. */
export function createLayoutTarget(): FuzzTarget {
  const seeds = [...LAYOUT_CASES.values()].map((of): Shapes => {
    return Object.fromEntries([...fileOf(of).tensors].map(([name, { shape }]) => [name, shape]));
  });
  return {
    name: "layout",
    valid: () => seeds.map(encode),
    *bombs() {
      for (const shapes of seeds) {
        yield encode({ ...shapes, "model.diffusion_model.double_blocks.999.img_mlp.0.bias": [1] });
        yield encode({
          ...shapes,
          "model.diffusion_model.joint_blocks.9999999999.x_block.mlp.fc1.bias": [1],
        });
        yield encode({ ...shapes, "first_stage_model.encoder.down.999.block.999.norm1.bias": [1] });
        const deep = "input_blocks.4.1.transformer_blocks.999.norm1.bias";
        yield encode({ ...shapes, [`model.diffusion_model.${deep}`]: [1] });
      }
    },
    make: (dice) => encode(changed(dice, dice.pick(seeds))),
    read: (folder) => convertBoth(join(folder, FILE)),
  };
}

/** Changes one thing: a name, its number, a shape, or the file as JSON. */
function changed(dice: Dice, shapes: Shapes): Shapes {
  if (dice.chance(0.3)) return mutateJson(dice, shapes) as Shapes;
  const name = dice.pick(Object.keys(shapes));
  const { [name]: shape, ...others } = shapes;
  if (dice.chance(0.3)) return others;
  if (dice.chance(0.5)) {
    const number = dice.pick([0, 1, 3, 7, 99, 1000]);
    return { ...others, [name.replace(/\d+/, String(number))]: shape };
  }
  return { ...others, [name]: dice.pick([[], [0], [1], [3, 3], [2, 0], [6, 2, 1, 1], [1, 1, 1, 1, 1]]) };
}

/** Makes a file of zeros with such shapes. */
function encode(shapes: Shapes): FuzzInput {
  let end = 0;
  const header = Object.entries(shapes ?? {}).map(([name, shape]) => {
    const extents = Array.isArray(shape) ? shape.map((one) => (typeof one === "number" ? one : 0)) : [];
    const size = Math.min(MOST, Math.max(0, Math.trunc(extents.reduce((a, b) => a * b, 1)) || 0));
    const begin = end;
    end += 2 * size;
    return [name, { dtype: "F16", shape, data_offsets: [begin, end] }];
  });
  return { [FILE]: encodeSafetensors(JSON.stringify(Object.fromEntries(header)), Buffer.alloc(end)) };
}

async function convertBoth(path: string): Promise<void> {
  await using checkpoint = await openCheckpoint(path);
  const { parts, unknown } = toDiffusersLayout(checkpoint);
  for (const part of parts) await readAll(part.checkpoint);
  const networks = new Map(parts.map((part) => [part.folder, part.checkpoint]));
  await readAll(toOriginalLayout(networks, { aside: unknown }).checkpoint);
}
