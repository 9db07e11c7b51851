import { InputError } from "../errors.ts";
import { FILE_NAME, HUB_NAME } from "./open-file.ts";

/** Beginning of names that mean a model of the Hugging Face hub, never a file or folder on this machine. */
export const HUB_PREFIX = "hub:";

/** Pattern of names of branches, tags, pull requests and commits. */
const REVISION = /^[\w-][\w.-]*(\/[\w-][\w.-]*)*$/;

/** Pattern of one part of a path in a repository. */
const PART = /^[\w+-][\w.+ -]*$/;

/** Longest name of a model, of a revision, or of a file in a repository, in characters. */
const MAX_NAME = 1024;

/** A model of the Hugging Face hub, at one of its revisions. */
export interface HubName {
  /** Name of the repository: `owner/model`, or one word for the oldest models, such as `gpt2`. */
  readonly name: string;
  /** Branch, tag, pull request or commit. */
  readonly revision: string;
  /** Path of one file in the repository; undefined if the whole model is meant. */
  readonly file: string | undefined;
}

/**
 * Parses `hub:owner/model`, `hub:owner/model@revision`, or `hub:owner/model/file@revision`.
 * @returns undefined if the text does not begin with `hub:`
 * @throws InputError if the text after `hub:` has another form
 */
export function parseHubName(path: string): HubName | undefined {
  if (!path.startsWith(HUB_PREFIX)) return undefined;
  const [whole = "", revision = "main", ...rest] = path.slice(HUB_PREFIX.length).split("@");
  const [owner = "", model, ...parts] = whole.split("/");
  const name = model === undefined ? owner : `${owner}/${model}`;
  const isName = HUB_NAME.test(model === undefined ? `owner/${owner}` : name);
  const areParts = parts.every((part) => PART.test(part));
  if (!isName || !areParts || rest.length > 0 || path.length > MAX_NAME || !isRevision(revision)) {
    throw new InputError(
      `Cannot use "${path.slice(0, MAX_NAME)}" as a model of the Hugging Face hub must be written as hub:owner/model, hub:owner/model@revision or hub:owner/model/file: this is not of that form`,
      { input: path },
    );
  }
  return { name, revision, file: parts.length === 0 ? undefined : parts.join("/") };
}

/** Parses `owner/model` or `owner/model@revision`, which may also be a path; undefined for other paths. */
export function parsePlainHubName(path: string): HubName | undefined {
  const [name = path, revision = "main", ...rest] = path.split("@");
  if (rest.length > 0 || !HUB_NAME.test(name) || FILE_NAME.test(path)) return undefined;
  return { name, revision, file: undefined };
}

/** Checks whether a text can be the name of a branch, a tag, a pull request or a commit. */
export function isRevision(text: string): boolean {
  return REVISION.test(text) && !text.includes("..") && text.length <= MAX_NAME;
}

/** Returns the name as a user writes it: with the prefix, and with the revision if it is not `main`. */
export function formatHubName({ name, revision, file }: HubName): string {
  const path = file === undefined ? name : `${name}/${file}`;
  return `${HUB_PREFIX}${path}${revision === "main" ? "" : `@${revision}`}`;
}
