/** Lets tabs be chosen by a press, and by the arrow keys, Home and End. */
export function startTabs(): void {
  for (const group of document.querySelectorAll<HTMLElement>("[data-tabs]")) {
    const tabs = [...group.querySelectorAll<HTMLElement>("[role=tab]")];
    const choose = (chosen: HTMLElement) => {
      for (const tab of tabs) {
        const isChosen = tab === chosen;
        tab.setAttribute("aria-selected", String(isChosen));
        tab.tabIndex = isChosen ? 0 : -1;
        const panel = document.getElementById(tab.getAttribute("aria-controls") ?? "");
        if (panel !== null) panel.hidden = !isChosen;
      }
    };
    tabs.forEach((tab, index) => {
      tab.addEventListener("click", () => choose(tab));
      tab.addEventListener("keydown", ({ key }) => {
        const next = tabs[nextIndex(key, index, tabs.length)];
        if (next === undefined || next === tab) return;
        choose(next);
        next.focus();
      });
    });
  }
}

function nextIndex(key: string, index: number, count: number): number {
  if (key === "ArrowRight") return (index + 1) % count;
  if (key === "ArrowLeft") return (index + count - 1) % count;
  if (key === "Home") return 0;
  return key === "End" ? count - 1 : index;
}
