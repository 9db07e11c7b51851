// Reads where the project is published: one place says it, package.json of the root.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../packages.mjs";

const manifest: { readonly repository: { readonly url: string } } = JSON.parse(
  readFileSync(join(root, "package.json"), "utf8"),
);

/** Address of the repository for people. */
export const REPOSITORY = manifest.repository.url.replace(/^git\+|\.git$/g, "");

/** Path at which the site is published, with slashes around it; documents lie in `docs/` below it. */
export const { SITE_BASE: BASE = "/" } = process.env;

/** Folder of the built site. */
export const SITE = join(root, ".site");

/** Folder of the pages that VitePress reads: copies of docs/, and the pages that are made of sources. */
export const STAGE = join(root, "docs", ".vitepress", "pages");
