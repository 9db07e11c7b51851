// Checks the built site as a reader meets it: every link of every page and twin leads to a file of the site and, if it names a place there,
// to that place; nothing is asked of another host, and pages stay light.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, posix } from "node:path";
import { sumOf } from "@isthmus/core";
import { BASE, SITE } from "./project.ts";
import type { SitePage } from "./site-page.ts";

/** What a browser loads at once, whatever the reader does. */
const LOADED =
  /<(?:script|img|iframe|source|video)\b[^>]*\bsrc="(https?:[^"]+)"|<link\b(?=[^>]*\brel="(?:stylesheet|preload|modulepreload|icon)")[^>]*\bhref="(https?:[^"]+)"/g;

/** Scripts and style sheets of the site that a browser loads at once; the script of the page's own text is not among them. */
const SHARED = /<(?:script|link)\b[^>]*\b(?:src|href)="([^":]+(?<!\.lean)\.(?:js|css))"/g;
/** Most bytes of them that a page of the documents may load, before a host packs them. */
const MOST_BYTES = 280_000;

/** Lists what is wrong in the built site. */
export function checkSite(pages: readonly SitePage[]): string[] {
  const paths = readdirSync(SITE, { recursive: true, encoding: "utf8" });
  const html = paths.filter((path) => path.endsWith(".html"));
  const twins = paths.filter((path) => path.endsWith(".md"));
  const missing = pages
    .flatMap(({ page }) => [`docs/${page}.html`, `docs/${page}.md`])
    .filter((path) => !paths.includes(path));
  return [
    ...missing.map((path) => `${path} is missing`),
    ...html.flatMap((path) => checkPage(path, readFileSync(join(SITE, path), "utf8"))),
    ...twins.flatMap((path) => checkTwin(path, readFileSync(join(SITE, path), "utf8"))),
  ];
}

function checkPage(path: string, text: string): string[] {
  const links = [...text.matchAll(/<[a-z][^>]*?\s(?:href|src)="([^"]+)"/g)].map(([, link = ""]) => link);
  const loaded = [...text.matchAll(LOADED)].map(([, source, sheet]) => source ?? sheet);
  return [
    ...loaded.map((address) => `${path} loads ${address} from another host`),
    ...new Set(links.flatMap((link) => checkLink(path, decodeLink(link)))),
    ...(path.startsWith("docs/") ? checkWeight(path, text) : []),
  ];
}

function checkWeight(path: string, text: string): string[] {
  const shared = [...text.matchAll(SHARED)].flatMap(([, link = ""]) => resolve(path, link) ?? []);
  const bytes = sumOf(shared.map((file) => statSync(join(SITE, file)).size));
  if (bytes <= MOST_BYTES) return [];
  return [`${path} must load at most ${MOST_BYTES} bytes of scripts and styles: it loads ${bytes}`];
}

function checkTwin(path: string, text: string): string[] {
  const prose = text.replace(/^( *)(`{3,})[\s\S]*?^\1\2$|(`+)(?!`)[\s\S]*?(?<!`)\3(?!`)/gm, "");
  const links = [...prose.matchAll(/\]\(([^()\s]+)\)/g)].map(([, link = ""]) => link.replace(/#.*/, ""));
  return [...new Set(links.filter((link) => link !== "").flatMap((link) => checkLink(path, link)))];
}

/** Says what is wrong with a link from a file of the site; nothing if it leads somewhere, or to another host. */
function checkLink(from: string, link: string): string[] {
  if (/^(?:[a-z]+:|\/\/)/.test(link)) return [];
  const [path = "", anchor] = link.split("#");
  const target = path === "" ? from : resolve(from, path.split("?")[0] ?? "");
  const file = target === undefined ? undefined : fileOf(target);
  if (file === undefined) return [`${from} links to ${link}, which is not in the site`];
  if (anchor === undefined || anchor === "" || !file.endsWith(".html")) return [];
  return anchorsOf(file).has(anchor) ? [] : [`${from} links to ${link}, which is no place on that page`];
}

function resolve(from: string, path: string): string | undefined {
  if (!path.startsWith("/")) return posix.join(posix.dirname(from), path);
  return path.startsWith(BASE) ? path.slice(BASE.length) : undefined;
}

/** The file that a host sends for a path: a folder's is its index.html. */
function fileOf(path: string): string | undefined {
  const full = join(SITE, path);
  if (!existsSync(full)) return undefined;
  if (!statSync(full).isDirectory()) return path;
  return fileOf(posix.join(path, "index.html"));
}

const anchors = new Map<string, ReadonlySet<string>>();

/** Places of a page that links may name. */
function anchorsOf(file: string): ReadonlySet<string> {
  const known = anchors.get(file);
  if (known !== undefined) return known;
  const text = readFileSync(join(SITE, file), "utf8");
  const ids = new Set([...text.matchAll(/\s(?:id|name)="([^"]+)"/g)].map(([, id = ""]) => decodeLink(id)));
  anchors.set(file, ids);
  return ids;
}

function decodeLink(text: string): string {
  return decodeURIComponent(text.replaceAll("&amp;", "&").replaceAll("&quot;", '"').replaceAll("&#39;", "'"));
}
