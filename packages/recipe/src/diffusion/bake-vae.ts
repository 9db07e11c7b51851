import {
  type Checkpoint,
  composeCheckpoint,
  defineCheckpoint,
  formatShape,
  MismatchError,
  sameShape,
  type TensorInfo,
} from "@isthmus/core";
import { toOriginalAutoencoder } from "@isthmus/merging";

/** Beginnings of the names of an autoencoder in checkpoints of Stable Diffusion and of ComfyUI. */
const PREFIXES = ["first_stage_model.", "vae."] as const;

/** Names of tensors of an autoencoder; files of its training have others, such as tensors of its loss. */
const OF_VAE = /^(?:encoder|decoder|quant_conv|post_quant_conv)\./;

/**
 * Returns a diffusion model with another autoencoder (VAE), lazily. Tensors of the autoencoder keep their
 * element types, and replace the model's own; a model without an autoencoder gets them under the names
 * `first_stage_model.`.
 * @param vae - the autoencoder alone with names of latent diffusion or of diffusers, or a model that has one
 * @throws MismatchError if `vae` has no autoencoder, one of diffusers that lacks tensors, or one of other
 *   tensors or shapes than the model's
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createCheckpoint, createTensor } from "@isthmus/core";
 * import { bakeVae } from "@isthmus/recipe";
 *
 * const tensor = (x: number) => createTensor("f32", [1], Float32Array.of(x));
 * const model = createCheckpoint({ "first_stage_model.decoder.norm_out.bias": tensor(1) });
 * const vae = createCheckpoint({ "decoder.norm_out.bias": tensor(2) });
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
  const places = [...ofVae].map(([name, stored]) => [name, { checkpoint: vae, name: stored }] as const);
  const alone = toOriginalAutoencoder(composeCheckpoint(new Map(places), { source: vae.source }));
  const baked = new Map(
    [...alone.tensors].map(([name, info]) => {
      const place = prefix + name;
      return [place, { name, info: { dtype: info.dtype, shape: shapeIn(model, place, info) } }] as const;
    }),
  );
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
    inputs: [model, alone],
    readInto(name, begin, out) {
      const tensor = baked.get(name);
      return tensor === undefined
        ? model.readRangeInto(name, begin, out)
        : alone.readRangeInto(tensor.name, begin, out);
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

/** Returns the shape of a tensor in the model, where a matrix may be a convolution of extent 1. */
function shapeIn({ tensors, source }: Checkpoint, name: string, { shape }: TensorInfo): readonly number[] {
  const there = tensors.get(name)?.shape ?? shape;
  if (sameShape(asMatrix(there), asMatrix(shape))) return there;
  throw new MismatchError(
    `Cannot bake an autoencoder into "${source}" as shapes must be equal: "${name}" is ${formatShape(there)} there, and ${formatShape(shape)} in the autoencoder`,
    { parameters: [name] },
  );
}

/** Returns the shape of a convolution of extent 1 as that of a matrix, and every other shape unchanged. */
function asMatrix(shape: readonly number[]): readonly number[] {
  return shape.length === 4 && shape[2] === 1 && shape[3] === 1 ? shape.slice(0, 2) : shape;
}
