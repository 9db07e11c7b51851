import { type Checkpoint, MismatchError, type TensorInfo } from "@isthmus/core";
import {
  ARCHITECTURES,
  type DiffusionArchitecture,
  findArchitecture,
  LONE_VAE,
  type PipelinePart,
} from "./architectures.ts";
import { createShapeFacts, type PartConfig, type Settings } from "./configs/facts.ts";
import { type ConvertedTensor, convertNames, defineConverted, passedOn } from "./convert-names.ts";

/** A network in the layout of diffusers. */
export interface DiffusersPart {
  /** Name of its folder in a pipeline. */
  readonly folder: string;
  /** Beginning of its names in the single file. */
  readonly prefix: string;
  /** Name of its file of weights, with the ending. */
  readonly file: string;
  /** Weights under the names of diffusers, read by range from the single file. */
  readonly checkpoint: Checkpoint;
  /** Settings for its config.json. */
  readonly config: PartConfig;
}

/** A single file in the layout of diffusers. */
export interface DiffusersLayout {
  /** Name of the architecture; undefined for an autoencoder by itself. */
  readonly architecture: string | undefined;
  /** Networks in the file. */
  readonly parts: readonly DiffusersPart[];
  /**
   * Contents of files of settings by their paths: `model_index.json`, without entries for tokenizers, and the
   * config of the scheduler; none if the file has one network alone.
   */
  readonly settings: ReadonlyMap<string, Settings>;
  /** Folders of tokenizers that the pipeline needs, which no weights tell, with their classes. */
  readonly tokenizers: Readonly<Record<string, string>>;
  /** Tensors that belong to no network, under their own names; undefined if there are none. */
  readonly unknown: Checkpoint | undefined;
}

/** Version of the layout of configs that is written; diffusers reads all earlier versions. */
const VERSION = "0.30.0";

/**
 * Gives the tensors of a single file of Stable Diffusion 1, XL or 3 or of Flux the names and shapes of
 * diffusers, lazily: fused queries, keys and values are divided, and halves that diffusers has in another
 * order are exchanged. All bits are kept.
 *
 * A file with one network alone, such as a U-Net or an autoencoder, becomes that part.
 * @throws MismatchError if no network is found, a network lacks tensors, or a shape does not fit
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createCheckpoint, createTensor } from "@isthmus/core";
 * import { toDiffusersLayout } from "@isthmus/merging";
 *
 * const file = createCheckpoint({ "layers.0.weight": createTensor("f32", [1], Float32Array.of(1)) });
 * assert.throws(() => toDiffusersLayout(file), /must hold a network of one of Flux, Stable Diffusion 3/);
 * ```
 */
export function toDiffusersLayout(checkpoint: Checkpoint): DiffusersLayout {
  const { architecture, parts } = findParts(checkpoint);
  const used = new Set<string>();
  const converted = parts.map(({ part, prefix }) => {
    const tensors = convertPart(checkpoint, part, prefix);
    for (const { pieces } of tensors.values()) for (const { name } of pieces) used.add(prefix + name);
    return describePart({ part, prefix }, define(checkpoint, tensors, prefix));
  });
  const others = [...checkpoint.tensors].filter(([name]) => !used.has(name));
  const unknown = new Map(others.map(([name, info]) => [name, passedOn(name, info)]));
  const isAlone = parts.length === 1;
  return {
    architecture: architecture?.name,
    parts: converted,
    settings: isAlone || architecture === undefined ? new Map() : settingsOf(architecture, parts),
    tokenizers: isAlone ? {} : (architecture?.tokenizers ?? {}),
    unknown: unknown.size === 0 ? undefined : define(checkpoint, unknown, ""),
  };
}

/** A network that is found in a file, with the beginning of its names. */
interface PlacedPart {
  readonly part: PipelinePart;
  readonly prefix: string;
}

function findParts(checkpoint: Checkpoint): {
  readonly architecture: DiffusionArchitecture | undefined;
  readonly parts: readonly PlacedPart[];
} {
  const { tensors, source } = checkpoint;
  const place = (part: PipelinePart): readonly PlacedPart[] => {
    const prefix = part.prefixes.find((one) => tensors.has(one + part.kind.mark.original));
    return prefix === undefined ? [] : [{ part, prefix }];
  };
  const architecture = findArchitecture([...tensors], (main) => place(main).length > 0);
  const parts = (architecture?.parts ?? [LONE_VAE]).flatMap(place);
  if (parts.length > 0) return { architecture, parts };
  const all = ARCHITECTURES.map(({ name }) => name).join(", ");
  const marks = ARCHITECTURES.flatMap(({ parts: [main] }) => (main === undefined ? [] : [main.kind]));
  const isDiffusers = marks.some(({ mark }) => tensors.has(mark.diffusers));
  const [first = ""] = tensors.keys();
  throw new MismatchError(
    `Cannot convert "${source}" to the layout of diffusers as it must hold a network of one of ${all}, or an autoencoder, under its original names: ${isDiffusers ? "its names are those of diffusers already; --layout original converts it back" : `it has "${first}" and ${tensors.size - 1} other tensors, which are of none of them`}`,
    { parameters: [first] },
  );
}

function convertPart(
  { source, tensors }: Checkpoint,
  { kind }: PipelinePart,
  prefix: string,
): ReadonlyMap<string, ConvertedTensor> {
  const inPart = new Map<string, TensorInfo>();
  for (const [name, info] of tensors)
    if (name.startsWith(prefix)) inPart.set(name.slice(prefix.length), info);
  const rows = kind.rows([...inPart.keys()], "original");
  return convertNames({ source, network: kind.name, tensors: inPart }, rows, "original");
}

function define(
  checkpoint: Checkpoint,
  tensors: ReadonlyMap<string, ConvertedTensor>,
  prefix: string,
): Checkpoint {
  return defineConverted(tensors, {
    source: checkpoint.source,
    inputs: [checkpoint],
    metadata: { ...checkpoint.metadata, format: "pt" },
    locate: (name) => ({ checkpoint, name: prefix + name }),
  });
}

function describePart(
  { part: { folder, kind, settings }, prefix }: PlacedPart,
  checkpoint: Checkpoint,
): DiffusersPart {
  const { told, assumed } = kind.config(createShapeFacts(checkpoint.tensors));
  const version = kind.file === "model" ? {} : { _diffusers_version: VERSION };
  const config = { told, assumed: { ...version, ...assumed, ...settings } };
  return { folder, prefix, file: `${kind.file}.safetensors`, checkpoint, config };
}

function settingsOf(
  { pipeline, pipelineSettings, scheduler, parts: all }: DiffusionArchitecture,
  parts: readonly PlacedPart[],
): ReadonlyMap<string, Settings> {
  const folders = new Set(parts.map(({ part }) => part.folder));
  const index = {
    _class_name: pipeline,
    _diffusers_version: VERSION,
    ...pipelineSettings,
    scheduler: ["diffusers", scheduler["_class_name"]],
    ...Object.fromEntries(
      all.map(({ folder, loads }) => [folder, folders.has(folder) ? loads : [null, null]]),
    ),
  };
  return new Map<string, Settings>([
    ["scheduler/scheduler_config.json", { _diffusers_version: VERSION, ...scheduler }],
    ["model_index.json", index],
  ]);
}
