import { Option } from "@commander-js/extra-typings";
import { AVERAGES_USES } from "@isthmus/recipe";
import { type AddOptions, optionGroup } from "../options/option-group.ts";
import { LAYOUTS, UNKNOWN } from "./convert-layout.ts";

/** Options of the verb `convert` for diffusion models. */
export type DiffusionOptions = {
  /** Layout of the output. @defaultValue that of the input */
  readonly layout?: (typeof LAYOUTS)[number] | undefined;
  /** Use of tensors that belong to no network, for `layout`. @defaultValue "keep" */
  readonly unknown?: (typeof UNKNOWN)[number] | undefined;
  /** File or folder of an autoencoder for the model. @defaultValue its own */
  readonly vae?: string | undefined;
  /** Use of the averages of weights in the model. @defaultValue they are tensors as others */
  readonly ema?: (typeof AVERAGES_USES)[number] | undefined;
};

/** Adds the options of the verb `convert` for diffusion models. */
export const addDiffusionOptions: AddOptions<DiffusionOptions> = optionGroup((command) => {
  command
    .optionsGroup("Diffusion models:")
    .addOption(
      new Option(
        "--layout <layout>",
        "for Stable Diffusion 1, XL and 3 and Flux: a single file as a folder of diffusers, or such a folder as a single file; a U-Net, transformer or VAE by itself as well",
      ).choices(LAYOUTS),
    )
    .addOption(
      new Option(
        "--unknown <what>",
        "for --layout: tensors of no network, kept aside in the folder or left out (default: keep)",
      ).choices(UNKNOWN),
    )
    .option(
      "--vae <file>",
      "of a diffusion model: another autoencoder for it, a file or a folder of the original program or of diffusers",
    )
    .addOption(
      new Option(
        "--ema <use>",
        "of a diffusion model: drop the averages of weights beside the weights, or use them in place of the weights",
      ).choices(AVERAGES_USES),
    );
});
