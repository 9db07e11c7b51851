import { InputError, readTextFile } from "@isthmus/core";
import { isAbsolute, join, stat } from "@isthmus/platform";
import { listGroups } from "../plan/groups.ts";
import { readRecipe } from "../read/parse-recipe.ts";
import { isRecipe, type Recipe } from "../recipe/recipe.ts";
import { listReferences, nameOf } from "../run/list-references.ts";
import { type CardText, joinCard, splitCard } from "./card-text.ts";
import { deriveLicence, type LicensedModel, readLicence } from "./licences.ts";
import { formatModelCard, hubNamesOf } from "./model-card.ts";

/** Options of {@link publishCard}. */
export interface PublishCardOptions {
  /** Heading of a card that is made anew. */
  readonly name: string;
  /**
   * Names of models that the model was made of, beside those in its recipe and its card. @defaultValue none
   */
  readonly models?: readonly string[];
  /** Licence that the user chooses. @defaultValue the licence in the card, else what the inputs share */
  readonly licence?: string | undefined;
  /** Section with numbers that were measured, in Markdown. @defaultValue none */
  readonly measured?: string | undefined;
}

/** A model card that is ready to be published. */
export interface PublishedCard {
  /** The card, in Markdown with front matter. */
  readonly text: string;
  /** Models that the model was made of, with their licences. */
  readonly inputs: readonly LicensedModel[];
  /** Licence that the card names; undefined if it names none. */
  readonly licence: string | undefined;
  /** Warnings about licences, in one sentence each. */
  readonly warnings: readonly string[];
}

/**
 * Makes the model card of a folder for the Hugging Face hub: the card in the folder if there is one, else a
 * new one of its `recipe.yml`; with the models it was made of, `base_model_relation: merge`, the licence that
 * follows from theirs, and numbers that were measured. Nothing in the folder changes.
 * @throws UsageError if the licences of the inputs forbid to publish
 * @throws FormatError if the card in the folder cannot be read
 */
export async function publishCard(folder: string, options: PublishCardOptions): Promise<PublishedCard> {
  const recipe = await textOf(join(folder, "recipe.yml"));
  const path = join(folder, "README.md");
  const written = await textOf(path);
  const made = recipe === undefined ? undefined : await readRecipe(join(folder, "recipe.yml"));
  const names = made === undefined ? [] : listNames(made);
  const networks = names.map((name) => ({ name }));
  const { name, measured, models = [] } = options;
  const method = made?.merge_method;
  const text = written ?? formatModelCard({ name, networks, recipe, method });
  const { front, body } = splitCard(text, path);
  const bases = [...new Set([...basesOf(front), ...[...names, ...models].flatMap(hubNamesOf)])];
  const inputs = await licensed([...names, ...models], basesOf(front));
  const chosen = options.licence ?? licenceIn(front);
  const { licence, warnings } = deriveLicence(inputs, chosen);
  const card: CardText = {
    front: {
      ...front,
      ...(bases.length > 0 && { base_model: bases, base_model_relation: "merge" }),
      ...(licence !== undefined && { license: licence }),
      tags: tagsOf(front, inputs.length > 0 ? ["merge", "isthmus"] : ["isthmus"]),
    },
    body: measured === undefined ? body : `${body.trimEnd()}\n\n${measured.trimEnd()}\n`,
  };
  return { text: joinCard(card), inputs, licence, warnings: [...warnings, ...namedPaths(names)] };
}

/** Warns of paths in a recipe that say something of this machine. */
function namedPaths(names: readonly string[]): readonly string[] {
  const paths = names.filter((name) => isAbsolute(name));
  if (paths.length === 0) return [];
  return [`the recipe and the card name paths of this machine, which all will see: ${paths.join(", ")}`];
}

async function textOf(path: string): Promise<string | undefined> {
  const stats = await stat(path).catch(() => undefined);
  if (stats === undefined) return undefined;
  if (stats.isFile()) return readTextFile(path);
  throw new InputError(`Cannot read "${path}" as it must be a file: it is a folder, or something else`, {
    input: path,
  });
}

/** Lists the names of the networks of a recipe, and of the recipes within it. */
function listNames(recipe: Recipe): readonly string[] {
  const names = listReferences(listGroups(recipe)).flatMap(({ reference }) =>
    isRecipe(reference) ? listNames(reference) : [nameOf(reference)],
  );
  return [...new Set(names)];
}

function basesOf({ base_model: named }: CardText["front"]): readonly string[] {
  return [named].flat().filter((name) => typeof name === "string");
}

function licenceIn({ license }: CardText["front"]): string | undefined {
  return typeof license === "string" && license !== "" ? license : undefined;
}

function tagsOf({ tags }: CardText["front"], added: readonly string[]): readonly string[] {
  const ofCard = [tags].flat().filter((tag) => typeof tag === "string");
  return [...new Set([...ofCard, ...added])];
}

/**
 * Reads the licences of models: of the ones that are named by path or name, and of bases that only the card
 * names. A network and the adapters behind it have licences of their own.
 */
async function licensed(
  names: readonly string[],
  bases: readonly string[],
): Promise<readonly LicensedModel[]> {
  const parts = names.flatMap((name) => name.split("+"));
  const named = new Set(parts.flatMap(hubNamesOf));
  const all = new Set([...parts, ...bases.filter((base) => !named.has(base))]);
  return Promise.all([...all].map(async (name) => ({ name, licence: await readLicence(name) })));
}
