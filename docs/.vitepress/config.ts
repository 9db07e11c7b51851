import { readFileSync } from "node:fs";
import { type DefaultTheme, defineConfigWithTheme, type HeadConfig } from "vitepress";
import type { SiteOutline } from "../../tools/site/outline.ts";

/** Outline of the site, which tools/site/stage-pages.ts writes beside the staged pages before VitePress builds them. */
const outline: SiteOutline = JSON.parse(
  readFileSync(new URL("./pages/outline.json", import.meta.url), "utf8"),
);
const { base, home, figures, repository, sidebar, top } = outline;

/** Configuration of the theme: that of VitePress, and the script of figures. */
export interface ThemeConfig extends DefaultTheme.Config {
  /** Path of the script of live figures; undefined if there is none. */
  readonly figures: string | undefined;
}

/** Address of a page below the documents: that of a folder is the folder's. */
function linkOf(page: string): string {
  return `/${page.replace(/(^|\/)index$/, "$1")}`;
}

export default defineConfigWithTheme<ThemeConfig>({
  title: "Isthmus",
  description: outline.description,
  lang: "en",
  base: `${base}docs/`,
  srcDir: "./.vitepress/pages",
  outDir: "../.site/docs",
  // One page after the other: in the order in which they end, the index of the search would differ from build to build.
  buildConcurrency: 1,
  cacheDir: "../node_modules/.cache/vitepress",
  head: [
    ...(figures === undefined
      ? []
      : [["link", { rel: "stylesheet", href: `${figures}.css` }] satisfies HeadConfig]),
    ["link", { rel: "icon", type: "image/svg+xml", href: `${base}docs/icon.svg` }],
    ["meta", { name: "theme-color", content: "#0067a5" }],
    // Without JavaScript nothing opens what is closed.
    [
      "noscript",
      {},
      "<style>.VPSidebarItem.collapsed .items{display:block!important}.VPNavBarSearch,.VPNavBarAppearance,.VPNavBarHamburger,.VPLocalNav,.vp-doc button.copy{display:none!important}@media(max-width:959px){.VPSidebar{position:static!important;transform:none!important;opacity:1!important;visibility:visible!important;max-width:none!important;width:auto!important;box-shadow:none!important;padding-bottom:16px!important;order:1}.VPFooter{order:2}}</style>",
    ],
  ],
  transformHead: ({ pageData: { isNotFound, relativePath } }) =>
    isNotFound
      ? []
      : [["link", { rel: "alternate", type: "text/markdown", href: `${base}docs/${relativePath}` }]],
  vue: { template: { compilerOptions: { isCustomElement: (tag) => tag.startsWith("isthmus-") } } },
  markdown: {
    theme: { light: "github-light-high-contrast", dark: "github-dark-high-contrast" },
    headers: { level: [2, 3] },
  },
  themeConfig: {
    figures: figures === undefined ? undefined : `${figures}.js`,
    nav: top.map(({ text, page }) => ({ text, link: linkOf(page) })),
    sidebar: Object.fromEntries(
      Object.entries(sidebar).map(([path, groups]) => [
        path,
        groups.map(({ text, pages, collapsed }) => ({
          text,
          collapsed: collapsed ?? false,
          items: pages.map(({ text: words, page }) => ({ text: words, link: linkOf(page) })),
        })),
      ]),
    ),
    outline: { level: [2, 3], label: "On this page" },
    search: {
      provider: "local",
      // Pages of packages are found by names and comments: with their code the index would be twice as large.
      options: {
        _render: (text, env, markdown) =>
          markdown.render(
            env.relativePath.startsWith("reference/api/") ? text.replace(/^```[\s\S]*?^```$/gm, "") : text,
            env,
          ),
      },
    },
    socialLinks: [{ icon: "github", link: repository }],
    editLink: {
      pattern: `${repository}/edit/main/docs/:path`,
      text: "Edit this page",
    },
    footer: { message: `<a href="${home}">Isthmus</a> is released under the Apache License 2.0.` },
  },
});
