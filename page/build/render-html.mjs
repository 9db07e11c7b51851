// Fills the names of built files, and the code that the page shows, into page/src/index.html.
import { readFileSync } from "node:fs";

/** Returns the page; `{{name}}` in its source stands for a value, or for the text of `page/src/shown/name.*`. */
export function renderHtml(values) {
  const source = readFileSync(new URL("../src/index.html", import.meta.url), "utf8");
  return source.replace(/\{\{(\w+)\}\}/g, (_, name) => {
    if (values[name] === undefined)
      throw new Error(`page/src/index.html names "${name}", which has no value`);
    return values[name];
  });
}

/** Writes code as HTML; numbers that depend on what the page shows become elements that it fills. */
export function showCode(code, shown) {
  const escaped = code.trim().replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return escaped.replace(/\$\{([\w-]+)\}/g, (_, name) => `<span data-show="${name}">${shown[name]}</span>`);
}
