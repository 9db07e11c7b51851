// Makes a page for each package: its README, and every name that it exports with its declaration and comments.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageNames, root } from "../../packages.mjs";
import { type Entry, listEntries } from "../../public-names.mjs";
import type { SitePage } from "../site-page.ts";
import { type ApiItem, KINDS, readItem } from "./api-item.ts";
import { formatItem } from "./format-item.ts";

/** An exported name on the page of the package that declares it, and on others by a link alone. */
interface ApiEntry {
  readonly specifier: string;
  readonly items: readonly ApiItem[];
  /** Names of other packages that this one exports, too. */
  readonly passedOn: readonly { readonly name: string; readonly owner: string }[];
}

/** Lists the exported names of each package, by its folder. */
export function readApi(): ReadonlyMap<string, readonly ApiEntry[]> {
  const entries = listEntries();
  const byOwner = (owner: string): ApiEntry[] =>
    entries.filter((entry) => entry.owner === owner).map((entry) => readEntry(entry));
  return new Map(packageNames.map((owner) => [owner, byOwner(owner)]));
}

function readEntry({ owner, specifier, names }: Entry): ApiEntry {
  const all = [...names].map(([name, at]) => ({ name, at, owner: ownerOf(at.path) }));
  return {
    specifier,
    items: all.filter((item) => item.owner === owner).map(({ name, at }) => readItem(name, at)),
    passedOn: all.filter((item) => item.owner !== owner),
  };
}

function ownerOf(path: string): string {
  return path.split("/")[1] ?? "";
}

/** Path of the page of a package. */
export function apiPage(owner: string): string {
  return `reference/api/${owner}`;
}

/** Makes the page of every package. */
export function makeApiPages(): SitePage[] {
  const api = readApi();
  /** Folder of the package on whose page a name stands; the first if several export it. */
  const places = new Map<string, string>();
  for (const [owner, entries] of api)
    for (const { name } of entries.flatMap(({ items }) => items))
      if (!places.has(name)) places.set(name, owner);
  return [...api].map(([owner, entries]) => {
    const readme = readFileSync(join(root, "packages", owner, "README.md"), "utf8").trim();
    const own = new Set(entries.flatMap(({ items }) => items.map(({ name }) => name)));
    const link = (name: string): string => {
      const [first = ""] = name.split(/[.#]/);
      const place = own.has(first) ? owner : places.get(first);
      if (place === undefined) return `\`${name}\``;
      return `[\`${name}\`](${place === owner ? "" : `../${place}/README.md`}#${first})`;
    };
    const sections = entries.flatMap((entry) => formatEntry(entry, link, entries.length > 1));
    return {
      page: apiPage(owner),
      folder: `packages/${owner}`,
      source: `packages/${owner}/README.md`,
      text: [readme, ...sections].join("\n\n"),
      isGenerated: true,
    };
  });
}

function formatEntry(
  { specifier, items, passedOn }: ApiEntry,
  link: (name: string) => string,
  isOneOfSeveral: boolean,
): string[] {
  const place = isOneOfSeveral ? ` of ${specifier}` : "";
  const kinds = KINDS.flatMap((kind) => {
    const listed = items.filter((item) => item.kind === kind).sort((a, b) => (a.name < b.name ? -1 : 1));
    return listed.length === 0 ? [] : [`## ${kind}${place}`, ...listed.map((item) => formatItem(item, link))];
  });
  if (passedOn.length === 0) return kinds;
  const names = passedOn.map(({ name, owner }) => `[\`${name}\`](../${owner}/README.md#${name})`);
  return [...kinds, `## Exported by ${specifier}, declared by others`, names.join(", ")];
}
