import { at, closestName, InputError } from "@isthmus/core";
import { isChoice } from "../recipe/choices.ts";
import { assertFewRecipes } from "../recipe/count-recipes.ts";
import { placesOf } from "../recipe/places.ts";
import type { Path, Problem, StrictnessOptions } from "../recipe/problem.ts";
import { isRecipe, type ModelReference, type Recipe } from "../recipe/recipe.ts";
import { isMap } from "../recipe/shape.ts";
import { copyPositions } from "./positions.ts";

/** Options of {@link joinDocuments}. */
export interface JoinOptions extends StrictnessOptions {
  /** Name of the document whose network is the result. */
  readonly document?: string | undefined;
}

/**
 * Joins the documents of a file, as mergekit-multi reads it: if a document names another document as a model,
 * the recipe of that document replaces the name.
 *
 * @param documents - recipes of a file in the order of the file, at least one
 * @returns the recipe of the document in the options; otherwise the document without a name, or the last
 *   document that no other document names
 * @throws InputError if names of documents are not unique, or documents name each other in a circle
 */
export function joinDocuments(documents: readonly Recipe[], options: JoinOptions): Recipe {
  const byName = indexDocuments(documents.length > 1 ? documents : []);
  const needs = new Map(documents.map((document) => [document, listNeeds(document, byName)]));
  const result = chooseDocument(documents, { needs, chosen: options.document });
  const joined = new Map<Recipe, Joined>();
  const { recipe } = join(result, { byName, joined, within: [] });
  for (const document of documents) {
    const problems = findUnused(document, joined.has(document), documents.length);
    placesOf(document, options).reject("Cannot read the recipes of a file as each must be needed", problems);
  }
  return recipe;
}

type ByName = ReadonlyMap<string, Recipe>;

function indexDocuments(documents: readonly Recipe[]): ByName {
  const byName = new Map<string, Recipe>();
  const unnamed = documents.filter(({ name }) => name === undefined);
  const reject = (document: Recipe, path: Path, text: string) =>
    placesOf(document).reject("Cannot read the recipes of a file as names must tell them apart", [
      { path, text },
    ]);
  if (unnamed.length > 1)
    reject(
      at(unnamed, 1, "document"),
      ["merge_method"],
      'has no "name", as another document: name all but one',
    );
  for (const document of documents) {
    const { name } = document;
    if (name === undefined) continue;
    if (byName.has(name)) reject(document, ["name"], `must be another: there is a "${name}" before`);
    byName.set(name, document);
  }
  return byName;
}

function chooseDocument(
  documents: readonly Recipe[],
  {
    needs,
    chosen,
  }: { readonly needs: ReadonlyMap<Recipe, ReadonlySet<Recipe>>; readonly chosen: string | undefined },
): Recipe {
  if (chosen !== undefined) {
    const document = documents.find(({ name }) => name === chosen);
    if (document !== undefined) return document;
    const names = documents.flatMap(({ name }) => name ?? []);
    const meant = closestName(chosen, names);
    const hint =
      meant === undefined ? `they are ${names.join(", ") || "without names"}` : `did you mean "${meant}"?`;
    throw new InputError(`Cannot read document "${chosen}" of a recipe as one must have that name: ${hint}`, {
      input: chosen,
    });
  }
  const needed = new Set([...needs.values()].flatMap((some) => [...some]));
  const last = documents.findLast((document) => !needed.has(document));
  return (
    documents.find(({ name }) => name === undefined) ??
    last ??
    at(documents, documents.length - 1, "document")
  );
}

function findUnused(document: Recipe, isUsed: boolean, count: number): readonly Problem[] {
  const path = [document.name === undefined ? "merge_method" : "name"];
  if (!isUsed) {
    const text = "is of a document that nothing is made of, as none that is made names it: leave it out";
    return [{ path, text, tolerated: "unused document" }];
  }
  if (count > 1 || document.name === undefined) return [];
  const text = "has no effect as there is no other document in the file that could name it";
  return [{ path, text, tolerated: "unused document" }];
}

/** A recipe with recipes in place of names, and the number of recipes within it. */
interface Joined {
  readonly recipe: Recipe;
  readonly count: number;
}

interface Joining {
  readonly byName: ByName;
  /** The documents that were joined, each once. */
  readonly joined: Map<Recipe, Joined>;
  /** Documents that contain this document, the outermost first. */
  readonly within: readonly Recipe[];
}

function join(document: Recipe, { byName, joined, within }: Joining): Joined {
  const before = joined.get(document);
  if (before !== undefined) return before;
  if (byName.size === 0) return remember({ recipe: document, count: 0 });
  let count = 0;
  const recipe = replaceNames(document, [], (named, path) => {
    const needed = byName.get(named.name);
    if (needed === undefined) return undefined;
    const problem = findReferenceProblem(named, within.includes(needed) || needed === document);
    placesOf(document).reject(
      "Cannot read the recipes of a file as each must make a model for others",
      problem === undefined ? [] : [{ path, text: problem }],
    );
    const inside = join(needed, { byName, joined, within: [...within, document] });
    count += 1 + inside.count;
    assertFewRecipes(count, placesOf(document), path);
    return inside.recipe;
  }) as Recipe;
  copyPositions(document, recipe);
  return remember({ recipe, count });

  function remember(result: Joined): Joined {
    joined.set(document, result);
    return result;
  }
}

/** Lists the documents that a document names as models. */
function listNeeds(document: Recipe, byName: ByName): ReadonlySet<Recipe> {
  const needed = new Set<Recipe>();
  replaceNames(document, [], ({ name }) => {
    const named = byName.get(name);
    if (named !== undefined) needed.add(named);
    return undefined;
  });
  return needed;
}

/** A reference that could be the name of a document. */
interface NamedReference {
  readonly name: string;
  /** Whether the reference names a revision or an adapter as well. */
  readonly isChanged: boolean;
}

function findReferenceProblem({ name, isChanged }: NamedReference, isRing: boolean): string | undefined {
  if (isRing) return `needs "${name}", which needs this document itself`;
  if (!isChanged) return undefined;
  return `must be the name "${name}" alone, as a document has no revision, and an adapter is added to a model`;
}

/** Keys whose values name models. */
const REFERENCES: ReadonlySet<string> = new Set(["model", "base_model", "tokenizer_source", "source"]);

/** Replaces the references to models in a recipe for which `replace` returns a value. */
function replaceNames(
  value: unknown,
  path: Path,
  replace: (named: NamedReference, path: Path) => unknown,
): unknown {
  if (Array.isArray(value)) return value.map((item, i) => replaceNames(item, [...path, i], replace));
  if (!isMap(value)) return value;
  const entries = Object.entries(value).map(([key, item]) => {
    const inside = [...path, key];
    if (key === "parameters") return [key, item] as const;
    if (!REFERENCES.has(key)) return [key, replaceNames(item, inside, replace)] as const;
    if (!isChoice(item)) return [key, replaceReference(item, inside)] as const;
    const options = item.choose.map((option, i) => replaceReference(option, [...inside, "choose", i]));
    return [key, { ...item, choose: options }] as const;
  });
  return Object.fromEntries(entries);

  function replaceReference(reference: unknown, at: Path): unknown {
    const named = referenceOf(reference);
    return (named && replace(named, at)) ?? replaceNames(reference, at, replace);
  }
}

function referenceOf(value: unknown): NamedReference | undefined {
  if (typeof value === "string") {
    const [, name = value, rest = ""] = /^([^@+]+)([@+].*)?$/.exec(value) ?? [];
    return { name, isChanged: rest !== "" };
  }
  if (!isMap(value) || isRecipe(value as unknown as ModelReference)) return undefined;
  const { model, lora } = value;
  const name = isMap(model) ? model["path"] : model;
  return typeof name === "string" ? { name, isChanged: lora !== undefined } : undefined;
}
