import { splitAdapters } from "@isthmus/core";
import { isAbsolute, join } from "@isthmus/platform";
import { type CardText, joinCard, splitCard } from "./card-text.ts";
import { type FolderOrigin, readFolderOrigin } from "./folder-origin.ts";
import { deriveLicence, type LicensedModel, readLicence } from "./licences.ts";
import { formatModelCard, hubNamesOf, MADE_WITH } from "./model-card.ts";

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
 * new one of its `recipe.yml`, of the record in its weights, or of the settings of an adapter. A merge gets
 * the models it was made of and `base_model_relation: merge`; all get the licence that follows from the
 * models, and numbers that were measured. Nothing in the folder changes.
 * @throws UsageError if the licences of the inputs forbid to publish, or if the recipe in the folder is not
 *   the one that made its weights
 * @throws FormatError if the card in the folder cannot be read
 */
export async function publishCard(folder: string, options: PublishCardOptions): Promise<PublishedCard> {
  const origin = await readFolderOrigin(folder);
  const { name, measured, models = [] } = options;
  const names = origin.networks.map((network) => network.name);
  const { front, body } = splitCard(
    origin.written ?? newCard(name, origin, models),
    join(folder, "README.md"),
  );
  const merged = [...names, ...models];
  const bases = [...new Set([...basesOf(front), ...merged.flatMap(hubNamesOf)])];
  const inputs = await licensed([...merged, ...changedBy(origin)], basesOf(front));
  const { licence, warnings } = deriveLicence(inputs, options.licence ?? licenceIn(front));
  const tags = [...(merged.length > 0 ? ["merge"] : []), ...(isOurs(origin, models) ? ["isthmus"] : [])];
  const all = tagsOf(front, tags);
  const card: CardText = {
    front: {
      ...front,
      ...(merged.length > 0 && bases.length > 0 && { base_model: bases, base_model_relation: "merge" }),
      ...(licence !== undefined && { license: licence }),
      ...(all.length > 0 && { tags: all }),
    },
    body: measured === undefined ? body : `${body.trimEnd()}\n\n${measured.trimEnd()}\n`,
  };
  return {
    text: joinCard(card),
    inputs,
    licence,
    warnings: [...warnings, ...namedPaths([...names, ...changedBy(origin)])],
  };
}

/** Returns the network that an adapter changes, which is no part of a merge; empty for other models. */
function changedBy({ base }: FolderOrigin): readonly string[] {
  return base === undefined ? [] : [base];
}

/** Checks whether Isthmus made the model, or merged it by what the user says. */
function isOurs({ verb, networks }: FolderOrigin, models: readonly string[]): boolean {
  return verb !== undefined || networks.length > 0 || models.length > 0;
}

/** Writes the card of a folder without one: of a merge, of an adapter, or of another model. */
function newCard(name: string, origin: FolderOrigin, models: readonly string[]): string {
  const { networks, recipe, method, kind, base, verb } = origin;
  const library = { adapter: "peft", transformers: "transformers", weights: undefined }[kind];
  const merged = networks.length > 0 ? networks : models.map((model) => ({ name: model }));
  const parts = kind === "adapter" ? "adapters" : "networks";
  if (merged.length > 0)
    return formatModelCard({ name, networks: merged, recipe, method, library, merged: parts });
  const bases = base === undefined ? [] : hubNamesOf(base);
  const front = {
    ...(bases.length > 0 && { base_model: bases, base_model_relation: "adapter" }),
    ...(library !== undefined && { library_name: library }),
  };
  // A path of this machine means nothing to others.
  const ofBase = bases.length === 0 ? "" : ` of \`${bases.join(", ")}\``;
  const what = kind === "adapter" ? `An adapter${ofBase}` : "A model";
  const by = verb === undefined ? "." : `, ${MADE_WITH.replace(/\.$/, "")} by \`isthmus ${verb}\`.`;
  return joinCard({ front, body: `\n# ${name}\n\n${what}${by}\n` });
}

/** Warns of paths in a recipe that say something of this machine. */
function namedPaths(names: readonly string[]): readonly string[] {
  const paths = names.filter((name) => isAbsolute(name));
  if (paths.length === 0) return [];
  return [
    `the recipe, the card or the settings name paths of this machine, which all will see: ${paths.join(", ")}`,
  ];
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
  const chains = await Promise.all(names.map(splitAdapters));
  const parts = chains.flatMap(({ model, adapters }) => [model, ...adapters]);
  const named = new Set(parts.flatMap(hubNamesOf));
  const all = new Set([...parts, ...bases.filter((base) => !named.has(base))]);
  return Promise.all([...all].map(async (name) => ({ name, licence: await readLicence(name) })));
}
