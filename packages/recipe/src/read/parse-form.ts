import { at } from "@isthmus/core";
import { placesOf, type RecipePlaces } from "../recipe/places.ts";
import type { StrictnessOptions } from "../recipe/problem.ts";
import { findProblems, isMap, type Shape } from "../recipe/shape.ts";
import { parseDocuments } from "./parse-documents.ts";
import { rememberRecipes } from "./positions.ts";

/** A YAML file of one document, and the form that its document must have. */
export interface FormText {
  /** The text of the file. */
  readonly text: string;
  /** Name of the file, for messages. */
  readonly name: string;
  /** Form of the document. */
  readonly shape: Shape;
}

/** A document of the right form, with its places for messages. */
export interface FormDocument {
  /** Contents of the document as plain values, without keys that have no value. */
  readonly value: Readonly<Record<string, unknown>>;
  /** Places of the document, by which later problems with it are reported. */
  readonly places: RecipePlaces;
}

/**
 * Parses YAML of another form than that of a merge recipe as recipes are parsed: version 1.1 of YAML, with
 * the line in every message, and a warning of unknown keys.
 * @throws FormatError if the text is not YAML, or nested too deep
 * @throws InputError if it has several documents, or not the form; the message lists every problem
 */
export function parseForm({ text, name, shape }: FormText, options: StrictnessOptions = {}): FormDocument {
  const documents = parseDocuments(text, name);
  const { value, positions } = at(documents, 0, "document");
  rememberRecipes(value, positions);
  const places = placesOf(isMap(value) ? value : {}, options);
  const several = documents.length === 1 ? [] : [{ path: [], text: "must be the only document of its file" }];
  places.reject("Cannot read the recipe as its form must be right", [
    ...several,
    ...findProblems(shape, value),
  ]);
  return { value: value as FormDocument["value"], places };
}
