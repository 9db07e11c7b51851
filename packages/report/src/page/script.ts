/**
 * Script of a page: the button for the other theme, tables that sort, and the download of the measurement.
 * Everything else works without it, and what needs it is hidden until it runs.
 */
export const PAGE_SCRIPT = `(() => {
const root = document.documentElement, prefers = matchMedia("(prefers-color-scheme:dark)"), toggle = document.getElementById("theme");
const isDark = () => root.dataset.theme ? root.dataset.theme === "dark" : prefers.matches;
const show = () => toggle.setAttribute("aria-pressed", isDark());
toggle.onclick = () => { root.dataset.theme = isDark() ? "light" : "dark"; show(); };
prefers.addEventListener("change", show);
toggle.hidden = false;
show();
const number = (text) => parseFloat(text.replace(/,/g, ""));
for (const head of document.querySelectorAll("th[data-sort]")) {
const button = document.createElement("button"), table = head.closest("table"), body = table.tBodies[0];
button.type = "button";
button.append(...head.childNodes);
head.append(button);
button.onclick = () => {
const sign = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
for (const other of table.querySelectorAll("th[aria-sort]")) other.removeAttribute("aria-sort");
head.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
const key = (row) => row.cells[head.cellIndex].textContent, numeric = head.dataset.sort === "number";
const compare = (a, b) => !a || !b ? (a ? -1 : b ? 1 : 0) : sign * (numeric ? number(a) - number(b) : a.localeCompare(b, "en", { numeric: true }));
body.append(...[...body.rows].sort((a, b) => compare(key(a), key(b))));
};
}
const link = document.getElementById("download");
link.href = URL.createObjectURL(new Blob([document.getElementById("measurement").textContent], { type: "application/json" }));
link.hidden = false;
})();`;
