import { resolve } from "./paths.ts";

/** Returns the path of a `file:` address. */
export const fileURLToPath = (url: string | URL): string => decodeURIComponent(new URL(url).pathname);

/** Returns the `file:` address of a path. */
export function pathToFileURL(path: string): URL {
  const url = new URL("file:///");
  url.pathname = resolve(path).replace(/%/g, "%25");
  return url;
}
