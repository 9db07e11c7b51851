import { find } from "./dom.ts";

const KEY = "isthmus-theme";

/** Shows the button that changes between light and dark, and remembers the reader's choice. */
export function startTheme(onChange: () => void): void {
  const button = find("theme", HTMLButtonElement);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const root = document.documentElement;
  const isDark = () => (root.dataset["theme"] ?? (dark.matches ? "dark" : "light")) === "dark";
  const show = () => {
    button.textContent = isDark() ? "Light" : "Dark";
    onChange();
  };
  const stored = recall();
  if (stored !== undefined) root.dataset["theme"] = stored;
  button.hidden = false;
  button.addEventListener("click", () => {
    const theme = isDark() ? "light" : "dark";
    root.dataset["theme"] = theme;
    remember(theme);
    show();
  });
  dark.addEventListener("change", show);
  show();
}

function recall(): string | undefined {
  try {
    const theme = localStorage.getItem(KEY);
    return theme === "dark" || theme === "light" ? theme : undefined;
  } catch {
    return undefined; // storage may be switched off
  }
}

function remember(theme: string): void {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // It then holds until the page is left.
  }
}
