import { type Checkpoint, withCheckpoints } from "@isthmus/core";
import { type AVERAGES_USES, bakeVae, takeAverages } from "@isthmus/recipe";

/** Changes of a diffusion model that keep its names and layout. */
interface DiffusionChanges {
  /** File or folder of another autoencoder. @defaultValue the model's own */
  readonly vae: string | undefined;
  /** Use of the averages of its weights. @defaultValue they are tensors as others */
  readonly ema: (typeof AVERAGES_USES)[number] | undefined;
}

/** Calls a function with a checkpoint after changes of a diffusion model; closes all files after it. */
export async function withDiffusion<T>(
  input: string,
  { vae, ema }: DiffusionChanges,
  use: (checkpoint: Checkpoint) => Promise<T>,
): Promise<T> {
  const others = vae === undefined ? [] : [vae];
  return withCheckpoints([input, ...others] as const, ([model, autoencoder]) => {
    const pruned = ema === undefined ? model : takeAverages(model, ema);
    return use(autoencoder === undefined ? pruned : bakeVae(pruned, autoencoder));
  });
}
