import { at } from "@isthmus/core";
import { type CellKind, formatCell, type Table, type TableColumn, type TableRow } from "@isthmus/findings";
import { CURVE_STYLES } from "../figure/palette.ts";
import { type Html, html } from "../html.ts";

/** Number of rows from which a table scrolls in its own frame, and from which it is folded up. */
const MANY_ROWS = { tall: 14, folded: 100 } as const;
/** Number of columns from which a table has small text, so that a page shows all columns. */
const MANY_COLUMNS = 9;

/**
 * Number of characters of a title above which its column has a minimum width, so that the title takes at most
 * two lines.
 */
const LONG_TITLE = 14;

/** Renders a table with its caption; the page's script makes its columns sortable unless it is fixed. */
export function renderTable(table: Table): Html {
  const { name, title, caption, columns, rows } = table;
  const tall = rows.length > MANY_ROWS.tall ? " tall" : "";
  const hint = tall === "" ? undefined : html`<small>${rows.length} rows: scroll for all of them.</small>`;
  const wide = columns.length > MANY_COLUMNS ? " wide" : "";
  const element = html`<div class="scroll${tall}${wide}" id="table-${name}" tabindex="0" role="group" aria-label="${title}"><table>
<caption><span>${caption}${hint}</span></caption>
<thead>${groupRow(columns)}<tr>${columns.map((column) => renderHead(column, table))}</tr></thead>
<tbody>${rows.map((row) => renderRow(row, columns))}</tbody></table></div>`;
  if (rows.length <= MANY_ROWS.folded) return element;
  return html`<details><summary>${title}: ${rows.length} rows</summary>${element}</details>`;
}

/** Renders the row of titles over groups of columns; undefined if there are no groups. */
function groupRow(columns: readonly TableColumn[]): Html | undefined {
  if (columns.every(({ group }) => group === undefined)) return undefined;
  const spans: { group: string | undefined; style: number | undefined; count: number }[] = [];
  for (const { group, style } of columns) {
    const last = spans.at(-1);
    if (last && last.group === group) last.count++;
    else spans.push({ group, style, count: 1 });
  }
  const cells = spans.map(({ group, style, count }) => {
    if (group === undefined) return html`<td colspan="${count}"></td>`;
    const swatch =
      style === undefined ? undefined : html`<span class="swatch curve-${style % CURVE_STYLES}"></span>`;
    return html`<th scope="colgroup" colspan="${count}">${swatch}${group}</th>`;
  });
  return html`<tr>${cells}</tr>`;
}

function renderHead({ title, kind, unit }: TableColumn, { fixed }: Table): Html {
  const sort = fixed ? undefined : html` data-sort="${isNumeric(kind) ? "number" : "text"}"`;
  const classes = [...(kind === "text" ? ["text"] : []), ...(title.length > LONG_TITLE ? ["long"] : [])];
  const words = classes.length === 0 ? undefined : html` class="${classes.join(" ")}"`;
  return html`<th scope="col"${words}${sort}>${title}${unit === undefined ? undefined : html` <small>${unit}</small>`}</th>`;
}

function isNumeric(kind: CellKind): boolean {
  return kind !== "text";
}

function renderRow({ cells, note, strong, kind }: TableRow, columns: readonly TableColumn[]): Html {
  const [head, ...values] = cells.map((cell, index) => {
    const columnKind = at(columns, index, "column").kind;
    return {
      text: formatCell(cell, index === 0 ? columnKind : (kind ?? columnKind)),
      isText: columnKind === "text",
    };
  });
  const wrap = note === undefined ? undefined : html` class="wrap"`;
  const small = note === undefined ? undefined : html`<small>${note}</small>`;
  const data = values.map(
    ({ text, isText }) => html`<td${isText ? html` class="text"` : undefined}>${text}</td>`,
  );
  return html`<tr${strong ? html` class="peak"` : undefined}><th scope="row"${wrap}>${head?.text}${small}</th>${data}</tr>`;
}
