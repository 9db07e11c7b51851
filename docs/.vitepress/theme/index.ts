import { onContentUpdated, type Theme, useData, withBase } from "vitepress";
import DefaultTheme from "vitepress/theme-without-fonts";
import { defineComponent, h } from "vue";
import type { ThemeConfig } from "../config.ts";
import "./colors.css";

/** Link to the plain Markdown of a page, below its text. */
const MarkdownLink = defineComponent(() => {
  const { page } = useData();
  return () =>
    h("p", { class: "markdown-link" }, [
      h("a", { href: withBase(`/${page.value.relativePath}`), target: "_self" }, "This page as Markdown"),
    ]);
});

const Layout = defineComponent(() => {
  const { theme } = useData<ThemeConfig>();
  // Figures draw into their own elements, which Vue has to find as it drew them itself: so they are loaded after that. Until
  // then, and without JavaScript, they show the static picture in the page. Pages without figures do not load their script.
  onContentUpdated(() => {
    const { figures } = theme.value;
    if (figures !== undefined && document.querySelector(":not(:defined)") !== null) {
      import(/* @vite-ignore */ figures);
    }
  });
  return () => h(DefaultTheme.Layout, null, { "doc-footer-before": () => h(MarkdownLink) });
});

export default { extends: DefaultTheme, Layout } satisfies Theme;
