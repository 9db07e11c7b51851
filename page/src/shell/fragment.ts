/**
 * Writes one part of the page's state into the fragment of the address; the other parts do not change.
 * @param keys - all keys that belong to this part
 * @param said - the part as it is to be read, such as `seeds=0,1&width=64`
 */
export function showInFragment(keys: readonly string[], said: string): void {
  const others = location.hash
    .replace(/^#/, "")
    .split("&")
    .filter((pair) => pair.includes("=") && !keys.includes(pair.split("=", 1)[0] ?? ""));
  const fragment = [said, ...others].filter((part) => part !== "").join("&");
  history.replaceState(null, "", fragment === "" ? location.pathname + location.search : `#${fragment}`);
}

/** Returns a value that the fragment of the address says. */
export function readFromFragment(key: string): string | undefined {
  return new URLSearchParams(location.hash.replace(/^#/, "")).get(key) ?? undefined;
}
