import { existsSync } from "node:fs";

/** Debian's browser; `.ci/run` installs it. */
export const CHROMIUM = "/usr/bin/chromium";

/** Flags with which it needs neither a screen nor the network. */
export const BROWSER_FLAGS: readonly string[] = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Whether there is a browser to test with. */
export const hasBrowser: boolean = existsSync(CHROMIUM);
