import { type Checkpoint, entry, MismatchError, sizeOf, UnsupportedError } from "@isthmus/core";
import { type Adapter, type AdapterModule, type AdapterNaming, createAdapter, PREFIX } from "./adapter.ts";
import { parseAdapterConfig } from "./adapter-config.ts";
import { createFileAdapter } from "./adapter-file.ts";
import { indexNames } from "./find-weight.ts";
import { createCanonicalNames } from "./names/canonical-name.ts";
import { divideModule, type FusedModule, fuseParts, type RenamedModule } from "./names/divide-module.ts";
import { createModuleNamer, groupByPart } from "./names/module-namer.ts";
import { type AdapterPart, type NameStyle, styleOf } from "./names/name-style.ts";
import { peftSettingsOf } from "./names/peft-settings.ts";
import { encoderOf, findPipeline, type Pipeline } from "./names/pipelines.ts";
import {
  joinFactors,
  type ModulePart,
  type Origin,
  renamedCheckpoint,
  type ShapedModule,
} from "./names/renamed-tensors.ts";
import { createTransformerNames, type FindTransformerName } from "./names/transformer-names.ts";

/** Options of {@link renameAdapter}. */
export interface RenameAdapterOptions {
  /**
   * Network that the adapter changes. Its names say where the dots of kohya's names stand, and its shapes
   * give the factors of LoHa and LoKr theirs. @defaultValue the names of known networks
   */
  readonly base?: Checkpoint | undefined;
}

/** An adapter under other names, or the part of it that belongs to one network of a pipeline. */
export interface RenamedAdapter {
  /** Network of the pipeline; undefined if the adapter has the parts of all networks, or names none. */
  readonly part: AdapterPart | undefined;
  /** Adapter under the other names. */
  readonly adapter: Adapter;
}

/**
 * Gives the tensors of an adapter the names of another program, lazily. Scales go to the place in which the
 * program looks for them: into `alpha` for kohya and ComfyUI, into the settings for PEFT, and into the factor
 * `B` for diffusers, which takes the scale of its own files as 1. LoHa, LoKr and LoCon become LoRA of the
 * rank that holds them exactly.
 *
 * Modules that Flux and Stable Diffusion 3 fuse under their original names and diffusers does not are divided
 * exactly: the parts share `A` and have rows of `B`. They are joined exactly as well: if their `A` differ,
 * one stands below the other, and `B` has a block for each, so that the ranks add up.
 * @param naming - program after which the tensors are named
 * @returns one adapter; or, for PEFT, one for each network of a pipeline that the adapter changes
 * @throws MismatchError if a name cannot be told from the names of known networks or of the base, or two
 *   modules get one name
 * @throws UnsupportedError if the adapter changes biases, embeddings or whole tensors, or multiplies weights,
 *   which other programs have no names for
 */
export function renameAdapter(
  adapter: Adapter,
  naming: AdapterNaming,
  { base }: RenameAdapterOptions = {},
): readonly RenamedAdapter[] {
  assertPlain(adapter);
  const style = styleOf(naming);
  const canonicalName = createCanonicalNames(adapter.naming, adapter.source, base);
  const shaped = createShaper(adapter, base);
  const named = [...adapter.modules.values()].map((module) => ({
    module: shaped(module),
    name: canonicalName(module.name),
  }));
  const paths = named.map(({ name: { part, path }, module: { a, rank } }) => ({
    part,
    path,
    columns: sizeOf(entry(adapter.checkpoint.tensors, a, "tensor").shape) / rank,
  }));
  const { table, find } = createTransformerNames(adapter.source, paths, base);
  const pipeline = findPipeline(paths, table, base);
  const modules = named.flatMap(({ name, module }) => {
    const part = encoderOf(pipeline, adapter.naming, module.name) ?? name.part;
    return divideModule(adapter, { ...name, part }, { module, find });
  });
  if (base !== undefined) assertKnown(base, adapter, modules, find);
  if (style.name !== "PEFT")
    return [{ part: undefined, adapter: renameModules(adapter, modules, { style, find, base, pipeline }) }];
  return [...groupByPart(modules)].map(([part, ofPart]) => ({
    part,
    adapter: renameModules(adapter, ofPart, { style, find, base, pipeline }),
  }));
}

/** Blocks of CLIP in the names of OpenCLIP, which adapters do not use. */
const IN_OPEN_CLIP = /\.resblocks\.\d+\./;

/**
 * Checks that a network has a module of an adapter, under the names of diffusers or the original ones.
 * @throws MismatchError if the network has none of them
 */
function assertKnown(
  base: Checkpoint,
  { source }: Adapter,
  modules: readonly RenamedModule[],
  find: FindTransformerName,
): void {
  const namesOf = indexNames(base);
  const isThere = (path: string) => namesOf(`${path}.weight`).length > 0;
  const hasOpenClip = [...base.tensors.keys()].some((name) => IN_OPEN_CLIP.test(name));
  const isKnown = modules.some(({ name: { part, path } }) => {
    if (hasOpenClip && part?.startsWith("text_encoder") === true) return true;
    const original = find(path, "diffusers")?.original;
    return isThere(path) || (original !== undefined && isThere(original));
  });
  if (isKnown || modules.length === 0) return;
  const names = modules.slice(0, 3).map(({ name }) => name.path);
  throw new MismatchError(
    `Cannot rename adapter "${source}" by the names of "${base.source}" as that must be a network that the adapter changes: it has none of its ${modules.length} modules, such as ${names.join(", ")}; name the adapter's own network by --base, or leave the option out`,
    { parameters: names },
  );
}

/**
 * Makes the function that gives modules the extents of a kernel, if their factors are flat: factors of LoHa
 * and LoKr, and of LoRA that was merged of these.
 */
function createShaper(
  { source, checkpoint }: Adapter,
  base: Checkpoint | undefined,
): (module: AdapterModule) => ShapedModule {
  const namesOf = base === undefined ? undefined : indexNames(base);
  return (module) => {
    const { shape } = entry(checkpoint.tensors, module.a, "tensor");
    if (module.isFlat !== true && (shape.length > 2 || base === undefined)) return module;
    const [name, other] = namesOf?.(`${module.name}.weight`) ?? [];
    const isFound = name !== undefined && other === undefined;
    const kernel = isFound ? base?.tensors.get(name)?.shape.slice(1) : undefined;
    if (kernel !== undefined && sizeOf(kernel) === sizeOf(shape.slice(1))) return { ...module, kernel };
    if (module.isFlat !== true) return module;
    throw new MismatchError(
      `Cannot rename "${module.name}" of adapter "${source}" as the shape of its weight must be known, which factors of LoHa and LoKr do not tell: ${base === undefined ? "name the network that it changes by --base" : `"${base.source}" has no such weight, or several`}`,
      { parameters: [module.name] },
    );
  };
}

/** Tells whether an adapter has only low-rank changes of weights, which all programs have names for. */
export function isPlain(adapter: Adapter): boolean {
  return findSpecial(adapter) === undefined;
}

function findSpecial({ modules, multiplied, replaced }: Adapter): string | undefined {
  const [multiplying] = multiplied.values();
  if (multiplying !== undefined)
    return `its ${multiplying.kind} of "${multiplying.name}" is no product of matrices`;
  const special = [...modules.values()].find(
    ({ bias, kind, isTransposed }) => bias !== undefined || kind === "embedding" || isTransposed,
  );
  if (special !== undefined)
    return `"${special.name}" is an embedding, is stored transposed, or has a change of its bias`;
  const [whole] = replaced.keys();
  return whole === undefined ? undefined : `it replaces "${whole}" whole`;
}

function assertPlain(adapter: Adapter): void {
  const { source } = adapter;
  const problem = findSpecial(adapter);
  if (problem === undefined) return;
  throw new UnsupportedError(
    `Cannot rename adapter "${source}" as low-rank changes of matrices and convolutions alone have names in all programs: ${problem}; apply the adapter to its model`,
    { feature: problem },
  );
}

/** The style of new names, and what tells them. */
interface Renaming extends Pick<RenameAdapterOptions, "base"> {
  readonly style: NameStyle;
  readonly find: FindTransformerName;
  readonly pipeline: Pipeline;
}

function renameModules(adapter: Adapter, modules: readonly RenamedModule[], renaming: Renaming): Adapter {
  const { style } = renaming;
  const earlier = new Map<string, string>();
  const origins = new Map<string, Origin>();
  const named: { name: string; rank: number; alpha: number }[] = [];
  for (const { renamed, module, parts } of targetsOf(adapter, modules, renaming)) {
    assertFree(earlier.get(renamed), { module: module.name, renamed, source: adapter.source });
    earlier.set(renamed, module.name);
    const { rank, alpha, origins: tensors } = joinFactors(adapter, style, parts);
    named.push({ name: renamed, rank, alpha });
    const prefix = style.name === "PEFT" ? PREFIX : "";
    for (const [end, origin] of tensors) origins.set(prefix + renamed + end, origin);
  }
  const checkpoint = renamedCheckpoint(adapter, origins);
  const { source } = adapter;
  const close = () => adapter.close();
  if (style.name === "PEFT") {
    const hasMagnitudes = allOrNone(source, modules);
    const settings = peftSettingsOf(named, { hasMagnitudes });
    return { ...createAdapter(source, checkpoint, parseAdapterConfig(settings, source)), close };
  }
  const scaled = style.scale === "alpha" ? named : [];
  const scales = scaled.map(({ name, rank, alpha }) => [name, alpha / rank] as const);
  return { ...createFileAdapter(source, checkpoint, new Map(scales)), naming: style.name, close };
}

/** A module under its new name, and the parts of modules that it has. */
interface TargetModule {
  readonly renamed: string;
  readonly module: ShapedModule;
  readonly parts: readonly ModulePart[];
}

/** Lists the modules under their new names; modules that the style has in one piece are joined. */
function targetsOf(
  adapter: Adapter,
  modules: readonly RenamedModule[],
  { style, find, base, pipeline }: Renaming,
): readonly TargetModule[] {
  const names = modules.map(({ name }) => name);
  const nameIn = createModuleNamer(style, { source: adapter.source, names, pipeline });
  const isOriginal = style.name === "kohya" || style.name === "ComfyUI";
  const targets: TargetModule[] = [];
  const fused = new Map<string, FusedModule & { readonly parts: Map<number, RenamedModule> }>();
  for (const renamed of modules) {
    const { name, module, rows } = renamed;
    const whole = isOriginal && name.part === "transformer" ? find(name.path, "diffusers") : undefined;
    if (whole === undefined) {
      targets.push({ renamed: nameIn(name), module, parts: [{ module, rows }] });
      continue;
    }
    const { parts } = fused.get(whole.original) ?? { parts: new Map<number, RenamedModule>() };
    const place = whole.diffusers.indexOf(name.path);
    assertFree(parts.get(place)?.module.name, {
      module: module.name,
      renamed: name.path,
      source: adapter.source,
    });
    parts.set(place, renamed);
    fused.set(whole.original, { ...whole, parts });
  }
  for (const whole of fused.values()) {
    const [first] = whole.parts.values();
    // Original names of transformers have the prefix of U-Nets.
    const renamed = nameIn({ part: "unet", path: whole.original });
    if (first !== undefined)
      targets.push({ renamed, module: first.module, parts: fuseParts(adapter, whole, base) });
  }
  return targets;
}

function assertFree(
  earlier: string | undefined,
  { module, renamed, source }: { readonly module: string; readonly renamed: string; readonly source: string },
): void {
  if (earlier === undefined) return;
  throw new MismatchError(
    `Cannot rename adapter "${source}" as two modules must not get one name: both "${earlier}" and "${module}" would be "${renamed}"`,
    { parameters: [earlier, module] },
  );
}

/** Checks that all modules have lengths of rows or none, as PEFT has one setting for all. */
function allOrNone(source: string, modules: readonly RenamedModule[]): boolean {
  const [first] = modules;
  const has = first?.module.magnitude !== undefined;
  const other = modules.find(({ module }) => (module.magnitude !== undefined) !== has);
  if (other === undefined || first === undefined) return has;
  throw new UnsupportedError(
    `Cannot give adapter "${source}" the names of PEFT as either all modules or none must have lengths of rows (DoRA): one of "${first.module.name}" and "${other.module.name}" has them`,
    { feature: "DoRA" },
  );
}
