import { type InputError, readTextFile, resolveModelPath, UsageError } from "@isthmus/core";
import { dirname, join, stat } from "@isthmus/platform";
import { splitCard } from "./card-text.ts";
import { readModelConfig } from "./exact-json.ts";

/** A model, and the licence that its card or its config names. */
export interface LicensedModel {
  /** Name or path of the model. */
  readonly name: string;
  /** Identifier of the licence, in lower case, such as `apache-2.0`; undefined if it is not known. */
  readonly licence: string | undefined;
}

/** Licence of a model that was made of others, and what its user should know. */
export interface DerivedLicence {
  /** Identifier of the licence; undefined if the inputs do not decide it. */
  readonly licence: string | undefined;
  /** Warnings, in one sentence each. */
  readonly warnings: readonly string[];
}

/** Licences that forbid commercial use, by words of their identifiers. */
const NON_COMMERCIAL = /(^|[-_. ])(nc|non-?commercial|mnpl|mrl|amlr)([-_. ]|$)|research[-_ ]only/;
/** Licences that forbid derived works, such as merges. */
const NO_DERIVATIVES = /(^|[-_. ])nd([-_. ]|$)|no-?deriv/;

/** Reads the licence that the card of a model names, else its config; undefined if neither does. */
export async function readLicence(model: string): Promise<string | undefined> {
  const path = await resolveModelPath(model).catch(() => model);
  const isFolder = (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
  const folder = isFolder ? path : dirname(path);
  const card = await readTextFile(join(folder, "README.md")).catch(() => undefined);
  const named = card === undefined ? undefined : licenceOfCard(card, join(folder, "README.md"));
  if (named !== undefined) return named;
  const config = await readModelConfig(folder).catch((_: InputError) => undefined);
  const licence = config?.["license"];
  return typeof licence === "string" ? licence.trim().toLowerCase() : undefined;
}

/** Returns the licence that a model card names; undefined if it names none, or cannot be read. */
function licenceOfCard(text: string, source: string): string | undefined {
  try {
    const { license, license_name: name } = splitCard(text, source).front;
    const [first] = [license].flat();
    const licence = first === "other" && typeof name === "string" ? name : first;
    return typeof licence === "string" && licence.trim() !== "" ? licence.trim().toLowerCase() : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Decides the licence of a model that was made of others. A licence that all inputs share is kept. Different
 * licences are named in a warning, and none is chosen. A licence that forbids derived works is refused, and
 * so is one that forbids commercial use beside others that do not.
 * @param chosen - licence that the user takes the responsibility for; nothing is refused then
 * @throws UsageError if the licences of the inputs contradict the making or each other
 */
export function deriveLicence(inputs: readonly LicensedModel[], chosen?: string): DerivedLicence {
  const list = inputs.map(({ name, licence = "unknown" }) => `"${name}" (${licence})`).join(", ");
  const licences = new Set(inputs.map(({ licence }) => licence));
  const [only] = licences;
  const isShared = licences.size === 1;
  if (chosen !== undefined) {
    const agrees = isShared && only === chosen;
    const warning = `the licence ${chosen} is your choice; the inputs have others, or none that is known: ${list}`;
    return { licence: chosen, warnings: agrees || inputs.length === 0 ? [] : [warning] };
  }
  const forbidding = inputs.find(
    ({ licence = "" }) => NO_DERIVATIVES.test(licence) || (!isShared && NON_COMMERCIAL.test(licence)),
  );
  if (forbidding?.licence !== undefined) {
    const rule = NO_DERIVATIVES.test(forbidding.licence)
      ? "no input may forbid derived works"
      : "an input that forbids commercial use must not be mixed with others that allow it";
    throw new UsageError(
      `Cannot choose a licence for the model as ${rule}: "${forbidding.name}" has ${forbidding.licence}, and the inputs are ${list}; if you have the right to publish it, say under which licence: --licence X`,
    );
  }
  if (inputs.length === 0 || (isShared && only !== undefined)) return { licence: only, warnings: [] };
  const why = licences.has(undefined)
    ? "the licence of an input is not known"
    : "the licences of the inputs differ";
  return { licence: undefined, warnings: [`${why}: ${list}; the card names none, choose one by --licence`] };
}
