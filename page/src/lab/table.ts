import { make } from "../shell/dom.ts";
import { plural } from "./format.ts";

/** Rows that a table shows at first, and rows that a press adds. */
const SHOWN = 100;

/** A table of many rows, of which some are shown. */
export interface ShownTable {
  readonly element: HTMLElement;
  /** Shows other rows. */
  fill(rows: readonly (readonly string[])[]): void;
}

/**
 * Creates a table that shows its first rows, and more of them if that is asked for. All cells are text.
 * @param columns - titles; one that begins with `>` is of numbers
 */
export function createTable(caption: string, columns: readonly string[], noun = "row"): ShownTable {
  const body = make("tbody");
  const more = make("button", { type: "button", class: "quiet" });
  const count = make("p", { class: "count" });
  const isNumber = columns.map((title) => title.startsWith(">"));
  const heads = columns.map((title, column) =>
    make("th", { scope: "col", ...(isNumber[column] ? { class: "number" } : {}) }, title.replace(/^>/, "")),
  );
  const table = make(
    "table",
    {},
    make("caption", {}, caption),
    make("thead", {}, make("tr", {}, ...heads)),
    body,
  );
  let all: readonly (readonly string[])[] = [];
  const show = (upTo: number) => {
    const from = body.rows.length;
    body.append(
      ...all
        .slice(from, upTo)
        .map((cells) =>
          make(
            "tr",
            {},
            ...cells.map((text, column) => make("td", isNumber[column] ? { class: "number" } : {}, text)),
          ),
        ),
    );
    const rest = all.length - body.rows.length;
    count.textContent =
      rest > 0 ? `${plural(all.length, noun)}, ${body.rows.length} of them shown.` : plural(all.length, noun);
    more.hidden = rest === 0;
    more.textContent = `Show ${Math.min(SHOWN, rest)} more`;
  };
  more.addEventListener("click", () => show(body.rows.length + SHOWN));
  return {
    element: make(
      "div",
      { class: "table" },
      make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption }, table),
      count,
      more,
    ),
    fill(rows) {
      all = rows;
      body.replaceChildren();
      show(SHOWN);
    },
  };
}

/** Creates a table of a few rows. */
export function makeTable(
  caption: string,
  columns: readonly string[],
  rows: readonly (readonly string[])[],
  noun?: string,
): HTMLElement {
  const table = createTable(caption, columns, noun);
  table.fill(rows);
  return table.element;
}
