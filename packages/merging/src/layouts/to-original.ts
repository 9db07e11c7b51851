import { at, type Checkpoint, entry, MismatchError, type TensorInfo } from "@isthmus/core";
import {
  ARCHITECTURES,
  type DiffusionArchitecture,
  findArchitecture,
  LONE_VAE,
  type PipelinePart,
} from "./architectures.ts";
import { type ConvertedTensor, convertNames, defineConverted, passedOn } from "./convert-names.ts";
import type { NetworkKind } from "./networks.ts";

/** Networks of a folder of diffusers as one file. */
export interface OriginalLayout {
  /** Name of the architecture; undefined for an autoencoder by itself. */
  readonly architecture: string | undefined;
  /** All tensors under their original names, read by range from the networks. */
  readonly checkpoint: Checkpoint;
  /** Names in the result of tensors that belong to no network of the architecture. */
  readonly unknown: readonly string[];
}

/** Options of {@link toOriginalLayout}. */
export interface ToOriginalOptions {
  /** Tensors of no network, which an earlier conversion kept aside, to add unchanged. @defaultValue none */
  readonly aside?: Checkpoint | undefined;
  /** Beginnings of the names of networks by their folders. @defaultValue as in most files */
  readonly prefixes?: ReadonlyMap<string, string>;
  /** Whether to leave out tensors that belong to no network. @defaultValue false */
  readonly dropsUnknown?: boolean;
}

/** Name of the folder of a network that was opened by itself. */
const ALONE = "";

/**
 * Joins networks in the layout of diffusers to one file under the original names, lazily: the opposite of
 * `toDiffusersLayout`. Queries, keys and values are fused again. All bits are kept.
 * @param parts - networks by the names of their folders, such as `unet`; or one under an empty name
 * @throws MismatchError if they are no pipeline of a known architecture, a network lacks tensors, or shapes
 *   do not fit
 */
export function toOriginalLayout(
  parts: ReadonlyMap<string, Checkpoint>,
  { aside, prefixes = new Map(), dropsUnknown = false }: ToOriginalOptions = {},
): OriginalLayout {
  const { architecture, placed } = placeParts(parts, prefixes);
  const joined = createJoined();
  const unknown = placed.flatMap((part) => joinPart(joined, part, dropsUnknown));
  if (aside !== undefined && dropsUnknown) unknown.push(...aside.tensors.keys());
  if (aside !== undefined && !dropsUnknown)
    for (const [name, info] of aside.tensors) joined.add(name, passedOn(name, info), aside);
  const inputs = placed.map(({ checkpoint }) => checkpoint);
  return {
    architecture: architecture?.name,
    checkpoint: joined.define(aside === undefined ? inputs : [...inputs, aside]),
    unknown,
  };
}

/**
 * Gives the autoencoder (VAE) of a diffusion model its original names, lazily, whether it has the present
 * names of diffusers, the names of diffusers before its version 0.12 (`query` for `to_q`), or the original
 * ones already. All bits are kept.
 * @param checkpoint - the autoencoder by itself, whose names begin with `encoder.` or `decoder.`
 * @returns the checkpoint itself if diffusers has none of its names
 * @throws MismatchError if an autoencoder of diffusers lacks tensors, or shapes do not fit
 */
export function toOriginalAutoencoder(checkpoint: Checkpoint): Checkpoint {
  const { names } = earlierNames(checkpoint, LONE_VAE.kind);
  const isOfDiffusers = LONE_VAE.kind
    .rows([...names.keys()], "diffusers")
    .some(({ original, diffusers }) => diffusers.some((name) => name !== original && names.has(name)));
  if (!isOfDiffusers) return checkpoint;
  const joined = createJoined();
  joinPart(joined, { part: LONE_VAE, checkpoint, prefix: "" }, false);
  return joined.define([checkpoint]);
}

/** Adds the tensors of a network to a file, and returns the new names of tensors that no network has. */
function joinPart(
  joined: ReturnType<typeof createJoined>,
  { part, checkpoint, prefix }: PlacedPart,
  dropsUnknown: boolean,
): readonly string[] {
  const { names, converted } = convertPart(checkpoint, part.kind);
  const used = new Set<string>();
  for (const [name, tensor] of converted) {
    const pieces = tensor.pieces.map((piece) => ({ ...piece, name: entry(names, piece.name, "tensor") }));
    for (const piece of pieces) used.add(piece.name);
    joined.add(prefix + name, { ...tensor, pieces }, checkpoint);
  }
  const unknown = [...names.values()].filter((name) => !used.has(name));
  for (const name of dropsUnknown ? [] : unknown)
    joined.add(prefix + name, passedOn(name, entry(checkpoint.tensors, name, "tensor")), checkpoint);
  return unknown.map((name) => prefix + name);
}

/** Collects tensors of several checkpoints, which may have tensors of one name, for one checkpoint. */
function createJoined() {
  const tensors = new Map<string, ConvertedTensor>();
  const owners = new Map<string, { readonly checkpoint: Checkpoint; readonly name: string }>();
  const numbers = new Map<Checkpoint, number>();
  return {
    add(name: string, tensor: ConvertedTensor, checkpoint: Checkpoint): void {
      if (tensors.has(name)) throw twiceError(checkpoint, name);
      const number = numbers.get(checkpoint) ?? numbers.size;
      numbers.set(checkpoint, number);
      const pieces = tensor.pieces.map((piece) => {
        const key = `${number}/${piece.name}`;
        owners.set(key, { checkpoint, name: piece.name });
        return { ...piece, name: key };
      });
      tensors.set(name, { ...tensor, pieces });
    },
    define: (inputs: readonly Checkpoint[]): Checkpoint =>
      defineConverted(tensors, {
        source: at(inputs, 0, "network").source,
        inputs,
        metadata: Object.assign({}, ...inputs.map(({ metadata }) => metadata), { format: "pt" }),
        locate: (key) => entry(owners, key, "tensor"),
      }),
  };
}

interface PlacedPart {
  readonly part: PipelinePart;
  readonly checkpoint: Checkpoint;
  readonly prefix: string;
}

function placeParts(
  parts: ReadonlyMap<string, Checkpoint>,
  prefixes: ReadonlyMap<string, string>,
): {
  readonly architecture: DiffusionArchitecture | undefined;
  readonly placed: readonly PlacedPart[];
} {
  const alone = parts.get(ALONE);
  const opened = alone === undefined ? parts : openedAlone(alone);
  const tensors = [...opened].flatMap(([folder, checkpoint]) =>
    [...checkpoint.tensors].map(([name, info]) => [`${folder}/${name}`, info] as const),
  );
  const architecture = findArchitecture(tensors, ({ folder, kind }) => {
    return opened.get(folder)?.tensors.has(kind.mark.diffusers) === true;
  });
  const isVae = architecture === undefined && [...opened.keys()].join() === LONE_VAE.folder;
  if (architecture === undefined && !isVae) throw foreignError(opened);
  const isAlone = opened.size === 1;
  const folders = (architecture?.parts ?? [LONE_VAE]).map(({ folder }) => folder);
  const other = [...opened].find(([folder]) => !folders.includes(folder));
  if (other !== undefined) {
    throw new MismatchError(
      `Cannot convert "${other[1].source}" to one file as a model of ${architecture?.name ?? "this kind"} has ${folders.join(", ")}: "${other[0]}" is none of them; take it out of the folder`,
      { parameters: [other[0]] },
    );
  }
  const placed = (architecture?.parts ?? [LONE_VAE]).flatMap((part): readonly PlacedPart[] => {
    const checkpoint = opened.get(part.folder);
    const prefix = prefixes.get(part.folder) ?? (isAlone ? part.alone : part.prefixes[0]);
    return checkpoint === undefined ? [] : [{ part, checkpoint, prefix: prefix ?? "" }];
  });
  return { architecture, placed };
}

/** Finds the folder in which a network that was opened by itself would lie, by its names. */
function openedAlone(checkpoint: Checkpoint): ReadonlyMap<string, Checkpoint> {
  const mains = [...ARCHITECTURES.flatMap(({ parts }) => parts.slice(0, 1)), LONE_VAE];
  const part = mains.find(({ kind }) => {
    const { names } = earlierNames(checkpoint, kind);
    return names.has(kind.mark.diffusers) && !checkpoint.tensors.has(kind.mark.original);
  });
  return new Map([[part?.folder ?? ALONE, checkpoint]]);
}

function foreignError(opened: ReadonlyMap<string, Checkpoint>): MismatchError {
  const [[folder, checkpoint] = ["", undefined]] = opened;
  const [name = ""] = checkpoint?.tensors.keys() ?? [];
  const all = ARCHITECTURES.map((one) => one.name).join(", ");
  return new MismatchError(
    `Cannot convert "${checkpoint?.source ?? ""}" to one file as its main network must be that of one of ${all}, in the layout of diffusers: ${folder === ALONE ? "it" : `"${folder}"`} has "${name}"`,
    { parameters: [name] },
  );
}

function twiceError({ source }: Checkpoint, name: string): MismatchError {
  return new MismatchError(
    `Cannot convert "${source}" to one file as each tensor must have a name of its own: "${name}" is there twice`,
    { parameters: [name] },
  );
}

/** Converts the names of a network, some of which earlier versions of diffusers wrote otherwise. */
function convertPart(checkpoint: Checkpoint, kind: NetworkKind) {
  const { names, tensors } = earlierNames(checkpoint, kind);
  const rows = kind.rows([...tensors.keys()], "diffusers");
  const stored = { source: checkpoint.source, network: kind.name, tensors };
  return { names, converted: convertNames(stored, rows, "diffusers") };
}

/** Lists tensors by the present names of diffusers, with the names that the file has. */
function earlierNames(
  checkpoint: Checkpoint,
  { earlier = [] }: NetworkKind,
): {
  readonly names: ReadonlyMap<string, string>;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
} {
  const names = new Map<string, string>();
  const tensors = new Map<string, TensorInfo>();
  for (const [name, info] of checkpoint.tensors) {
    const present = earlier.reduce((text, [pattern, now]) => text.replace(pattern, now), name);
    if (names.has(present)) throw twiceError(checkpoint, present);
    names.set(present, name);
    tensors.set(present, info);
  }
  return { names, tensors };
}
