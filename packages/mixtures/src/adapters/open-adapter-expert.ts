import {
  assertSameStructure,
  type Checkpoint,
  DTYPES,
  InputError,
  MismatchError,
  UnsupportedError,
} from "@isthmus/core";
import {
  type Adapter,
  applyAdapter,
  extractAdapter,
  isAdapter,
  openAdapter,
  readDifferences,
} from "@isthmus/merging";
import { nameOfReference, splitReference } from "@isthmus/recipe";
import { compareVocabularies } from "../build/compare-vocabularies.ts";
import type { DenseModel } from "../build/dense-model.ts";
import type { DenseReference } from "../build/mixture-recipe.ts";
import { openDenseModel } from "../build/open-dense-model.ts";
import type { AdapterLayout } from "./adapter-layout.ts";

/** An adapter of the base that becomes an expert. */
export interface AdapterExpert {
  /** Name of the expert in the recipe. */
  readonly name: string;
  /** The adapter of a folder, or one that is computed from a fine-tune when it is read. */
  readonly adapter: Adapter;
  /** The base with the adapter. */
  readonly adapted: Checkpoint;
  /** Fine-tune that the adapter is computed from; undefined if the adapter was there. */
  readonly model: DenseModel | undefined;
  /** Sentences for the user. */
  readonly notes: readonly string[];
  /** Closes the files. */
  close(): Promise<void>;
}

/** The base of a mixture of adapters, and how fine-tunes of it become adapters. */
export interface AdapterBase {
  /** The base. */
  readonly base: DenseModel;
  /** Reference to it in the recipe. */
  readonly reference: DenseReference;
  /** Layout of the mixture. */
  readonly layout: AdapterLayout;
  /** Rank of adapters that are computed from fine-tunes. */
  readonly rank: number;
}

/**
 * Opens an expert: an adapter, named by its path or as `base+adapter`; or a fine-tune of the base, whose
 * difference from the base becomes an adapter when it is read.
 * @throws InputError if it cannot be opened, or changes another base
 * @throws MismatchError if it does not fit the base
 * @throws UnsupportedError if the layout cannot carry it
 */
export async function openAdapterExpert(
  context: AdapterBase,
  reference: DenseReference,
): Promise<AdapterExpert> {
  const name = nameOfReference(reference);
  const path = await findAdapter(context, reference);
  if (path === undefined) return openFineTune(context, reference, name);
  const adapter = await openAdapter(path);
  try {
    assertCarried(context, adapter, name);
    const adapted = applyAdapter(context.base.checkpoint, adapter);
    return { name, adapter, adapted, model: undefined, notes: [], close: () => adapter.close() };
  } catch (error) {
    await adapter.close();
    throw error;
  }
}

/**
 * Finds the path of the adapter that a reference names; undefined if it names a model.
 * @throws InputError if the adapter changes another model than the base
 */
async function findAdapter(
  { reference: base }: AdapterBase,
  reference: DenseReference,
): Promise<string | undefined> {
  const { path, revision, adapters } = await splitReference(reference);
  if (adapters.length === 0) return (await isAdapter(path)) ? path : undefined;
  const parts = await splitReference(base);
  const before = JSON.stringify([path, revision, adapters.slice(0, -1)]);
  if (before === JSON.stringify([parts.path, parts.revision, parts.adapters])) return adapters.at(-1);
  const name = nameOfReference(reference);
  throw new InputError(
    `Cannot make an expert of "${name}" as its adapter must change the base "${nameOfReference(base)}", alone: name the adapter, or a model that holds all of its changes`,
    { input: name },
  );
}

/** Checks that a layout can carry an adapter. @throws UnsupportedError if it cannot */
function assertCarried({ layout }: AdapterBase, adapter: Adapter, name: string): void {
  const { modules, multiplied, replaced, naming, config } = adapter;
  const all = [...modules.values()];
  const [whole] = [...replaced.keys(), ...multiplied.keys()];
  const outside = all.find((module) => !module.name.startsWith(layout.prefix))?.name;
  const changed = all.find(({ bias, magnitude }) => (bias ?? magnitude) !== undefined)?.name;
  const hasBiases = config?.raw["lora_bias"] === true;
  const rules: readonly (readonly [isBroken: boolean, text: string])[] = [
    [
      naming !== "PEFT",
      `its tensors must have the names of PEFT, which isthmus convert --adapter-names gives them: they have those of ${naming}`,
    ],
    [
      whole !== undefined,
      `it must change weights by products of two matrices alone: it also has "${whole}" whole or multiplied`,
    ],
    [
      changed !== undefined || hasBiases,
      `it must have no biases (lora_bias), which PEFT would add whatever the router says, and no lengths of rows (DoRA): it has some for "${changed ?? "all modules"}"`,
    ],
    [
      outside !== undefined,
      `PEFT loads such changes only for modules whose names begin with "${layout.prefix}": it changes "${outside}"; leave that out, as by isthmus extract --exclude`,
    ],
  ];
  const broken = rules.find(([isBroken]) => isBroken);
  if (broken === undefined) return;
  throw new UnsupportedError(`Cannot make an expert of ${layout.name} of "${name}" as ${broken[1]}`, {
    feature: layout.name,
  });
}

/** Opens a fine-tune of the base as the adapter that comes nearest to it by its rank. */
async function openFineTune(
  { base, layout, rank }: AdapterBase,
  reference: DenseReference,
  name: string,
): Promise<AdapterExpert> {
  const model = await openDenseModel(reference);
  try {
    await compareVocabularies(base, model);
    const changed = await listChanged(model, base);
    const include = changed.filter((tensor) => isFactored(model, tensor, layout));
    if (include.length === 0) {
      throw new MismatchError(
        `Cannot make an expert of "${name}" as it must differ from the base "${base.name}" in a matrix that ${layout.name} carries: it does not`,
        { parameters: [], input: name },
      );
    }
    const { adapter } = extractAdapter(model.checkpoint, base.checkpoint, { rank, include });
    const left = changed.filter((tensor) => !include.includes(tensor));
    const shown = `${left.slice(0, 3).join(", ")}${left.length > 3 ? ", ..." : ""}`;
    const note = `Of "${name}" ${left.length} changed tensors stay as in the base, as ${layout.name} does not carry them: ${shown}`;
    return {
      name,
      adapter,
      adapted: model.checkpoint,
      model,
      notes: left.length === 0 ? [] : [note],
      close: () => model.checkpoint.close(),
    };
  } catch (error) {
    await model.checkpoint.close();
    throw error;
  }
}

/** Checks whether the change of a tensor can be stored as two factors. */
function isFactored({ checkpoint }: DenseModel, tensor: string, { prefix }: AdapterLayout): boolean {
  const isMatrix = checkpoint.tensors.get(tensor)?.shape.length === 2;
  return isMatrix && tensor.startsWith(prefix) && tensor.endsWith(".weight");
}

/**
 * Lists the tensors in which a fine-tune differs from the base; all of both are read, part by part.
 * @throws InputError if a difference is not finite
 * @throws MismatchError if names or shapes differ
 */
async function listChanged(model: DenseModel, base: DenseModel): Promise<readonly string[]> {
  const changed: string[] = [];
  assertSameStructure(model.checkpoint, base.checkpoint);
  for (const [name, { dtype }] of base.checkpoint.tensors) {
    if (!DTYPES[dtype].float) continue;
    for await (const { difference } of readDifferences(
      { tuned: model.checkpoint, base: base.checkpoint },
      name,
    )) {
      if (!difference.every(Number.isFinite)) {
        throw new InputError(
          `Cannot make an expert of "${model.name}" as its difference from the base must be finite: that of "${name}" is not`,
          { input: model.name },
        );
      }
      if (difference.every((value) => value === 0)) continue;
      changed.push(name);
      break;
    }
  }
  return changed;
}
