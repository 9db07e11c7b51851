import { InvariantError } from "@isthmus/core";
import type { AdapterNaming } from "../adapter.ts";

/** A network of a pipeline that one adapter file may change, by the names of diffusers. */
export type AdapterPart =
  | "unet"
  | "transformer"
  | "prior"
  | "text_encoder"
  | "text_encoder_2"
  | "text_encoder_3";

/** Role of a tensor in the change of a module. */
export type FactorRole = "down" | "up" | "mid" | "alpha" | "magnitude";

/** The way in which one program names the tensors of adapters; reading and writing both use it. */
export interface NameStyle {
  /** Program after which the style is named. */
  readonly name: AdapterNaming;
  /** Text that joins the words of a module's name: kohya writes underscores in place of dots. */
  readonly joint: "." | "_";
  /** Texts before the name of a module, each with its network; the first text of a network is written. */
  readonly prefixes: readonly (readonly [AdapterPart, string])[];
  /** Names of the blocks of a U-Net: of diffusers, or of the original Stable Diffusion. */
  readonly blocks: "diffusers" | "original";
  /**
   * Place of the scale: in a tensor `alpha`, in `adapter_config.json`, or in the factor `B` itself, whose
   * program takes the scale as 1.
   */
  readonly scale: "alpha" | "settings" | "factor";
  /** Ends of names by role; the first end is written, and a role without an end is not written. */
  readonly ends: Readonly<Record<FactorRole, readonly string[]>>;
}

/**
 * All styles of names. Files in PEFT's style lie in a folder with `adapter_config.json`, which has the
 * scales, so that they have no `alpha`.
 *
 * Source: PEFT, `get_peft_model_state_dict`; diffusers, `loaders/lora_conversion_utils.py`; sd-scripts,
 * `networks/lora.py`; ComfyUI, `comfy/lora.py`; LyCORIS, `dora_scale` and `lora_mid`.
 */
const NAME_STYLES: readonly NameStyle[] = [
  {
    name: "PEFT",
    joint: ".",
    prefixes: [],
    blocks: "diffusers",
    scale: "settings",
    ends: {
      down: [".lora_A.weight"],
      up: [".lora_B.weight"],
      mid: [],
      alpha: [],
      magnitude: [".lora_magnitude_vector"],
    },
  },
  {
    name: "kohya",
    joint: "_",
    prefixes: [
      ["text_encoder_2", "lora_te2_"],
      ["text_encoder_3", "lora_te3_"],
      ["text_encoder", "lora_te_"],
      ["text_encoder", "lora_te1_"],
      ["unet", "lora_unet_"],
      ["transformer", "lora_transformer_"],
      ["prior", "lora_prior_unet_"],
      ["unet", "lycoris_"],
    ],
    blocks: "diffusers",
    scale: "alpha",
    ends: {
      down: [".lora_down.weight"],
      up: [".lora_up.weight"],
      mid: [".lora_mid.weight"],
      alpha: [".alpha"],
      magnitude: [".dora_scale"],
    },
  },
  {
    name: "ComfyUI",
    joint: ".",
    prefixes: [
      ["unet", "diffusion_model."],
      ["text_encoder", "text_encoders.clip_l.transformer."],
      ["text_encoder_2", "text_encoders.clip_g.transformer."],
      ["text_encoder_3", "text_encoders.t5xxl.transformer."],
    ],
    blocks: "original",
    scale: "alpha",
    ends: {
      down: [".lora_A.weight", ".lora_down.weight"],
      up: [".lora_B.weight", ".lora_up.weight"],
      mid: [".lora_mid.weight"],
      alpha: [".alpha"],
      magnitude: [".dora_scale"],
    },
  },
  {
    name: "diffusers",
    joint: ".",
    prefixes: [
      ["unet", "unet."],
      ["transformer", "transformer."],
      ["prior", "prior."],
      ["text_encoder", "text_encoder."],
      ["text_encoder_2", "text_encoder_2."],
      ["text_encoder_3", "text_encoder_3."],
    ],
    blocks: "diffusers",
    scale: "factor",
    ends: {
      down: [
        ...[".lora_A.weight", ".lora.down.weight", "_lora.down.weight"],
        ...[".lora_linear_layer.down.weight", ".lora_layer.down.weight"],
      ],
      up: [
        ...[".lora_B.weight", ".lora.up.weight", "_lora.up.weight"],
        ...[".lora_linear_layer.up.weight", ".lora_layer.up.weight"],
      ],
      mid: [],
      // diffusers takes the scale of files in its own style as 1, unless settings are in the metadata.
      alpha: [],
      magnitude: [".lora_magnitude_vector", ".lora_magnitude_vector.weight"],
    },
  },
];

const ROLES = ["down", "up", "mid", "alpha", "magnitude"] as const;

/** Ends of names in any style, each with its role, the longest first. */
const ENDS: readonly (readonly [string, FactorRole])[] = [
  ...new Map(
    NAME_STYLES.flatMap(({ ends }) =>
      ROLES.flatMap((role) => ends[role].map((end): [string, FactorRole] => [end, role])),
    ),
  ),
].sort(([a], [b]) => b.length - a.length);

/** A tensor of an adapter, by its name. */
export interface NamedFactor {
  /** Name of the module, with the prefix of its style. */
  readonly module: string;
  /** Role of the tensor in the module's change. */
  readonly role: FactorRole;
}

/** Finds the module and the role of a tensor by the end of its name; undefined if no style has such names. */
export function findFactor(key: string): NamedFactor | undefined {
  const fitting = ENDS.find(([end]) => key.length > end.length && key.endsWith(end));
  if (fitting === undefined) return undefined;
  const [end, role] = fitting;
  return { module: key.slice(0, -end.length), role };
}

/** Finds the style of a name, with its definition. */
export function styleOf(naming: AdapterNaming): NameStyle {
  const style = NAME_STYLES.find(({ name }) => name === naming);
  if (style === undefined) throw new InvariantError(`no style of names is called ${naming}`);
  return style;
}

/** Finds out which program named a module, by its prefix; a name with dots and no prefix is diffusers'. */
export function namingOf(module: string): AdapterNaming {
  const style = NAME_STYLES.find(({ prefixes }) => prefixes.some(([, text]) => module.startsWith(text)));
  return style?.name ?? (module.includes(".") ? "diffusers" : "kohya");
}

/** Name of a module without the prefix of its style. */
export interface ModuleName {
  /** Network of the pipeline; undefined if the name has no prefix. */
  readonly part: AdapterPart | undefined;
  /** Name inside the network, with the dots or underscores of its style. */
  readonly path: string;
}

/** Splits the name of a module into the network of a pipeline and the path inside it. */
export function splitModuleName(style: NameStyle, module: string): ModuleName {
  const prefix = style.prefixes.find(([, text]) => module.startsWith(text));
  if (prefix === undefined) return { part: undefined, path: module };
  const [part, text] = prefix;
  return { part, path: module.slice(text.length) };
}
