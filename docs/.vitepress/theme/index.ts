import { type Theme, useData, withBase } from "vitepress";
import DefaultTheme from "vitepress/theme-without-fonts";
import { defineComponent, h, onMounted } from "vue";
import "./colors.css";

/** Address of the page's live figures; they show a static picture until it is loaded, and if it is not there. */
declare const __FIGURES__: string | undefined;

/** Link to the plain Markdown of a page, below its text. */
const MarkdownLink = defineComponent(() => {
  const { page } = useData();
  return () =>
    h("p", { class: "markdown-link" }, [
      h("a", { href: withBase(`/${page.value.relativePath}`), target: "_self" }, "This page as Markdown"),
    ]);
});

const Layout = defineComponent(() => {
  // Figures draw into their own elements, which Vue has to find as it drew them itself: so they are loaded after that.
  onMounted(() => {
    if (__FIGURES__ !== undefined) import(/* @vite-ignore */ __FIGURES__);
  });
  return () => h(DefaultTheme.Layout, null, { "doc-footer-before": () => h(MarkdownLink) });
});

export default { extends: DefaultTheme, Layout } satisfies Theme;
