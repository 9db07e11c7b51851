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

/** Parts of the theme that no page shows, but whose scripts and styles every page would load. */
const UNUSED =
  /\/VP(AlgoliaSearchBox|Team\w*|\w*Sponsors\w*|\w*CarbonAds|\w*Features?|\w*Translations)\.vue$/;

/** Colours of words in code by the light and the dark theme of `markdown.theme`. */
const CODE_COLORS = [
  ["#0E1116", "#F0F3F6"],
  ["#A0111F", "#FF9492"],
  ["#702C00", "#FFB757"],
  ["#023B95", "#91CBFF"],
  ["#032563", "#ADDCFF"],
  ["#622CBC", "#DBB7FF"],
  ["#66707B", "#BDC4CC"],
  ["#024C1A", "#72F088"],
].map(([light, dark]) => `--shiki-light:${light};--shiki-dark:${dark}`);

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
    ["link", { rel: "icon", type: "image/svg+xml", href: `${base}docs/icon.svg` }],
    ["meta", { name: "theme-color", content: "#0067a5" }],
    ["style", {}, CODE_COLORS.map((style, i) => `.c${i}{${style}}`).join("")],
    // Without JavaScript nothing opens what is closed.
    [
      "noscript",
      {},
      "<style>.VPSidebarItem.collapsed .items{display:block!important}.VPNavBarSearch,.VPNavBarAppearance,.VPNavBarHamburger,.VPLocalNav,.vp-doc button.copy{display:none!important}@media(max-width:959px){.VPSidebar{position:static!important;transform:none!important;opacity:1!important;visibility:visible!important;max-width:none!important;width:auto!important;box-shadow:none!important;padding-bottom:16px!important;order:1}.VPFooter{order:2}}</style>",
    ],
  ],
  transformHead: ({ content, pageData: { isNotFound, relativePath } }) => {
    const links: HeadConfig[] = [];
    if (!isNotFound) {
      links.push(["link", { rel: "alternate", type: "text/markdown", href: `${base}docs/${relativePath}` }]);
    }
    if (figures !== undefined && content.includes("<isthmus-")) {
      links.push(["link", { rel: "stylesheet", href: `${figures}.css` }]);
    }
    return links;
  },
  // Addresses of all pages and the sidebar are one file for all pages: within the pages they would be a third of each.
  metaChunk: true,
  vite: {
    resolve: {
      alias: [
        // The button of the search has a style of its own: the rest is for a search that the site does not have.
        { find: /^@docsearch\/css$/, replacement: "@docsearch/css/dist/button.css" },
      ],
    },
    plugins: [
      {
        name: "theme-without-unused-parts",
        enforce: "pre",
        load: (id) =>
          UNUSED.test(id) ? "<script>export default { render: () => null };</script>" : undefined,
      },
    ],
  },
  vue: { template: { compilerOptions: { isCustomElement: (tag) => tag.startsWith("isthmus-") } } },
  markdown: {
    theme: { light: "github-light-high-contrast", dark: "github-dark-high-contrast" },
    headers: { level: [2, 3] },
    codeTransformers: [
      {
        // Each word has its two colours written on it: as a class they take a tenth of the bytes.
        span(node) {
          const color = CODE_COLORS.indexOf(String(node.properties.style));
          if (color >= 0) node.properties = { class: `c${color}` };
        },
      },
    ],
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
