import { InputError, openCheckpoint, resolveModelPath } from "@isthmus/core";
import { splitAdapterPart } from "@isthmus/merging";
import { dirname, join, stat } from "@isthmus/platform";
import type { GatheredFiles } from "@isthmus/tasks";
import { TOKENIZER_FILES } from "../models/list-model-files.ts";
import { settingOf } from "../plan/align-setting.ts";
import { keyOf, listGroups, type Member, namedIn } from "../plan/groups.ts";
import { isRecipeFile, readRecipe } from "../read/parse-recipe.ts";
import { isRecipe, type ModelParts, type ModelReference, type Recipe } from "../recipe/recipe.ts";
import { nameOfReference } from "./list-references.ts";
import { openReference, splitName, splitReference } from "./open-reference.ts";

/** A network that a recipe names by a path, not by a recipe within it. */
type NamedNetwork = Exclude<ModelReference, Recipe>;

/** Names of files beside weights that decide how the weights are read or merged. */
const BESIDE = ["config.json", "adapter_config.json", ...TOKENIZER_FILES];

/**
 * Adds all files that opening a recipe reads: weights, indexes, configs, tokenizers, adapters, measurements,
 * graphs for alignment and recipes in files.
 *
 * @returns a recipe with the paths by which tasks find the files; the same object if no path has changed
 * @throws InputError if a network cannot be opened, or a recipe in a file names a file whose path has to
 *   change
 */
export async function gatherRecipe(recipe: Recipe, files: GatheredFiles): Promise<Recipe> {
  const moved = new Map<string, unknown>();
  for (const one of listNamed(recipe)) noteMoved(moved, one, await gatherReference(one, files));
  for (const graph of listGraphs(recipe)) noteMoved(moved, graph, await gatherPath(graph, files));
  return moved.size === 0 ? recipe : (replaceAll(recipe, moved) as Recipe);
}

/**
 * Returns a recipe in which the paths of networks, adapters, measurements and graphs are replaced. Other
 * texts, such as a filter that looks like a path, do not change.
 * @param move - returns the new path for a path in the recipe
 */
export function moveRecipePaths(recipe: Recipe, move: (path: string) => string): Recipe {
  const moved = new Map<string, unknown>();
  for (const one of listNamed(recipe)) noteMoved(moved, one, moveReference(one, move));
  for (const graph of listGraphs(recipe)) noteMoved(moved, graph, move(graph));
  return moved.size === 0 ? recipe : (replaceAll(recipe, moved) as Recipe);
}

function noteMoved(moved: Map<string, unknown>, from: NamedNetwork, to: NamedNetwork): void {
  if (keyOf(to) === keyOf(from)) return;
  moved.set(keyOf(from), to);
  // Tokenizers are named by the names of networks.
  moved.set(JSON.stringify(nameOfReference(from)), nameOfReference(to));
}

/**
 * Adds the files of a graph or a checkpoint, including weights beside a graph.
 * @returns the path by which tasks find it
 */
export async function gatherPath(path: string, files: GatheredFiles): Promise<string> {
  const place = files.place(path);
  // A graph need not have weights.
  const read = await openCheckpoint(path).catch(() => undefined);
  for (const file of read?.files ?? [path]) files.add(file);
  await read?.close();
  return place;
}

/**
 * Lists all networks that a recipe and the recipes within it name by paths, and their files of statistics.
 */
function listNamed(recipe: Recipe): readonly NamedNetwork[] {
  return listMembers(recipe).flatMap(({ reference, measured }) => [
    ...(isRecipe(reference) ? listNamed(reference) : [reference]),
    ...Object.values(measured),
  ]);
}

function listGraphs(recipe: Recipe): readonly string[] {
  return listMembers(recipe).flatMap((member) => {
    const { graph } = settingOf(member);
    const inside = isRecipe(member.reference) ? listGraphs(member.reference) : [];
    return graph === undefined ? inside : [graph, ...inside];
  });
}

function listMembers(recipe: Recipe): readonly Member[] {
  return listGroups(recipe).flatMap(namedIn);
}

async function gatherReference(reference: NamedNetwork, files: GatheredFiles): Promise<NamedNetwork> {
  const { path, revision, adapters } = await splitReference(reference);
  if (isRecipeFile(path)) return gatherRecipeFile(path, files);
  const network = await openReference(reference);
  const read = network.files;
  await network.close();
  const name = revision === undefined ? path : `${path}@${revision}`;
  const model = await gatherModel(name, files);
  const moved: string[] = [];
  for (const adapter of adapters) moved.push(await gatherAdapter(adapter, files));
  for (const file of read) files.add(file);
  if (model === path && moved.every((adapter, i) => adapter === adapters[i])) return reference;
  if (typeof reference === "string") return [model, ...moved].join("+");
  const last = moved.pop();
  return last === undefined ? { model } : { model: [model, ...moved].join("+"), lora: last };
}

/** Adds the files beside an adapter, of which the name may mean the part of one network. */
async function gatherAdapter(name: string, files: GatheredFiles): Promise<string> {
  const { part, path } = splitAdapterPart(name);
  const place = await gatherModel(path, files);
  return part === undefined ? place : `${part}:${place}`;
}

function moveReference(reference: NamedNetwork, move: (path: string) => string): NamedNetwork {
  const movePart = (part: ModelParts["model"]): ModelParts["model"] =>
    typeof part === "string"
      ? part.split("+").map(moveAdapter).join("+")
      : { ...part, path: moveAdapter(part.path) };
  const moveAdapter = (name: string): string => {
    const { part, path } = splitAdapterPart(name);
    if (path === "") return name;
    return part === undefined ? move(path) : `${part}:${move(path)}`;
  };
  if (typeof reference !== "string") {
    const { model, lora } = reference;
    return { model: movePart(model), ...(lora !== undefined && { lora: movePart(lora) }) };
  }
  const { path, revision, adapters } = splitName(reference);
  const at = revision === undefined ? "" : `@${revision}`;
  return [`${move(path)}${at}`, ...adapters.map(moveAdapter)].join("+");
}

/**
 * Adds the files beside the weights of a network or an adapter.
 * @returns the path by which tasks find it
 */
async function gatherModel(name: string, files: GatheredFiles): Promise<string> {
  const location = await resolveModelPath(name);
  const place = files.place(location);
  const stats = await stat(location).catch(() => undefined);
  const folder = stats?.isDirectory() ? location : dirname(location);
  for (const beside of BESIDE) {
    const file = join(folder, beside);
    if ((await stat(file).catch(() => undefined))?.isFile()) files.add(file);
  }
  return place;
}

async function gatherRecipeFile(path: string, files: GatheredFiles): Promise<string> {
  const recipe = await readRecipe(path);
  if ((await gatherRecipe(recipe, files)) !== recipe && files.isElsewhere) {
    throw new InputError(
      `Cannot use recipe "${path}" on other machines as the paths in a recipe of its own must be relative, and lie below the working folder: some lie elsewhere; write the recipe in place of its path`,
      { input: path },
    );
  }
  files.add(path);
  return files.place(path);
}

/** Replaces parts of a value; `moved` has the replacements by the JSON of the original parts. */
function replaceAll(value: unknown, moved: ReadonlyMap<string, unknown>): unknown {
  const replaced = moved.get(JSON.stringify(value));
  if (replaced !== undefined) return replaced;
  if (Array.isArray(value)) return value.map((part) => replaceAll(part, moved));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, replaceAll(part, moved)]));
}
