import {
  type Checkpoint,
  defineCheckpoint,
  formatShape,
  MismatchError,
  sameShape,
  sizeOf,
  type TensorInfo,
} from "@isthmus/core";

/** Beginnings of the names of an autoencoder in checkpoints of Stable Diffusion and of ComfyUI. */
const PREFIXES = ["first_stage_model.", "vae."] as const;

/** Names of tensors of an autoencoder; files of its training have others, such as tensors of its loss. */
const OF_VAE = /^(?:encoder|decoder|quant_conv|post_quant_conv)\./;

/** A tensor of the autoencoder that is put into a model. */
interface BakedTensor {
  /** Name in the file of the autoencoder. */
  readonly name: string;
  /** Element type in that file, and shape in the model. */
  readonly info: TensorInfo;
}

/**
 * Returns a diffusion model with another autoencoder (VAE), lazily. Tensors of the autoencoder keep their
 * element types, and replace the model's own; a model without an autoencoder gets them under the names
 * `first_stage_model.`.
 * @param vae - the autoencoder alone with names of latent diffusion or of diffusers, or a model that has one
 * @throws MismatchError if `vae` has no autoencoder, or one of other tensors or shapes than the model's
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createCheckpoint, createTensor } from "@isthmus/core";
 * import { bakeVae } from "@isthmus/recipe";
 *
 * const tensor = (x: number) => createTensor("f32", [1], Float32Array.of(x));
 * const model = createCheckpoint({ "first_stage_model.decoder.norm_out.bias": tensor(1) });
 * const vae = createCheckpoint({ "decoder.conv_norm_out.bias": tensor(2) }); // as diffusers names it
 * const baked = bakeVae(model, vae);
 * assert.deepEqual((await baked.read("first_stage_model.decoder.norm_out.bias")).data, Float32Array.of(2));
 * ```
 */
export function bakeVae(model: Checkpoint, vae: Checkpoint): Checkpoint {
  const { prefix = PREFIXES[0], names: present } = findVae(model, PREFIXES);
  const { names: ofVae } = findVae(vae, [...PREFIXES, ""]);
  if (ofVae.size === 0) {
    const [example] = vae.tensors.keys();
    throw new MismatchError(
      `Cannot bake "${vae.source}" into "${model.source}" as it must be an autoencoder, with tensors named encoder... and decoder...: it has "${example}"`,
      { parameters: [] },
    );
  }
  const baked = new Map<string, BakedTensor>();
  for (const [name, stored] of originalNames(ofVae)) {
    const info = vae.tensors.get(stored);
    if (info === undefined) continue;
    const place = prefix + name;
    baked.set(place, { name: stored, info: { dtype: info.dtype, shape: shapeIn(model, place, info) } });
  }
  const absent = [...present.keys()].find((name) => !baked.has(prefix + name));
  const extra = [...baked.keys()].find((name) => present.size > 0 && !model.tensors.has(name));
  if (absent !== undefined || extra !== undefined) {
    const difference =
      absent === undefined
        ? `"${extra}" is in the first alone`
        : `"${prefix}${absent}" is in the second alone`;
    throw new MismatchError(
      `Cannot bake "${vae.source}" into "${model.source}" as both must have the same autoencoder: ${difference}`,
      { parameters: [absent ?? extra ?? ""] },
    );
  }
  const infos = [...baked].map(([name, { info }]) => [name, info] as const);
  return defineCheckpoint({
    source: `${model.source} with the autoencoder of ${vae.source}`,
    tensors: new Map([...model.tensors, ...infos]),
    metadata: model.metadata,
    inputs: [model, vae],
    readInto(name, begin, out) {
      const tensor = baked.get(name);
      return tensor === undefined
        ? model.readRangeInto(name, begin, out)
        : vae.readRangeInto(tensor.name, begin, out);
    },
  });
}

/** Finds the tensors of an autoencoder: their names in the checkpoint, by names without the prefix. */
function findVae({ tensors }: Checkpoint, prefixes: readonly string[]) {
  for (const prefix of prefixes) {
    const names = [...tensors.keys()].flatMap((name) => {
      const bare = name.slice(prefix.length);
      return name.startsWith(prefix) && OF_VAE.test(bare) ? [[bare, name] as const] : [];
    });
    if (names.length > 0) return { prefix, names: new Map(names) };
  }
  return { prefix: undefined, names: new Map<string, string>() };
}

/** Returns the shape of a tensor in the model, which may have extents of 1 that diffusers leaves out. */
function shapeIn({ tensors, source }: Checkpoint, name: string, { shape }: TensorInfo): readonly number[] {
  const there = tensors.get(name)?.shape ?? convolutionOf(name, shape);
  const isSame = sameShape(there, shape) || (isAttention(name) && sizeOf(there) === sizeOf(shape));
  if (isSame) return there;
  throw new MismatchError(
    `Cannot bake an autoencoder into "${source}" as shapes must be equal: "${name}" is ${formatShape(there)} there, and ${formatShape(shape)} in the autoencoder`,
    { parameters: [name] },
  );
}

function isAttention(name: string): boolean {
  return /\.mid\.attn_1\.(?:q|k|v|proj_out)\.weight$/.test(name);
}

/** Returns the shape of a matrix of attention as the original program's convolution of extent 1. */
function convolutionOf(name: string, shape: readonly number[]): readonly number[] {
  return isAttention(name) && shape.length === 2 ? [...shape, 1, 1] : shape;
}

/** Parts of names of diffusers, and what the original program has in their place. */
const RENAMED: readonly (readonly [RegExp, string])[] = [
  [/\.conv_norm_out\./, ".norm_out."],
  [/\.down_blocks\.(\d+)\.resnets\.(\d+)\./, ".down.$1.block.$2."],
  [/\.down_blocks\.(\d+)\.downsamplers\.0\./, ".down.$1.downsample."],
  [/\.up_blocks\.(\d+)\.resnets\.(\d+)\./, ".up.$1.block.$2."],
  [/\.up_blocks\.(\d+)\.upsamplers\.0\./, ".up.$1.upsample."],
  [/\.mid_block\.resnets\.0\./, ".mid.block_1."],
  [/\.mid_block\.resnets\.1\./, ".mid.block_2."],
  [/\.mid_block\.attentions\.0\./, ".mid.attn_1."],
  [/\.conv_shortcut\./, ".nin_shortcut."],
  [/\.group_norm\./, ".norm."],
  [/\.(?:to_q|query)\./, ".q."],
  [/\.(?:to_k|key)\./, ".k."],
  [/\.(?:to_v|value)\./, ".v."],
  [/\.(?:to_out\.0|proj_attn)\./, ".proj_out."],
];

/**
 * Returns tensors of an autoencoder by their names in the original program, which counts the blocks of the
 * decoder from the image on, where diffusers counts them from the latents on.
 *
 * Source: diffusers, `convert_ldm_vae_checkpoint`.
 */
function originalNames(names: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const isOfDiffusers = [...names.keys()].some((name) => /\.(?:mid_block|conv_norm_out)\./.test(name));
  if (!isOfDiffusers) return names;
  const ups = [...names.keys()].flatMap((name) => /\.up_blocks\.(\d{1,3})\./.exec(name)?.slice(1) ?? []);
  const last = Math.max(0, ...ups.map(Number));
  return new Map(
    [...names].map(([name, stored]) => {
      const turned = name.replace(/\.up_blocks\.(\d{1,3})\./, (_, i) => `.up_blocks.${last - Number(i)}.`);
      return [RENAMED.reduce((text, [from, to]) => text.replace(from, to), turned), stored];
    }),
  );
}
