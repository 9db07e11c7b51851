// Draws docs/barrier.svg, the picture of the README: runs `isthmus demo`, which trains two networks, and draws what it measured.
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "./packages.mjs";

const folder = mkdtempSync(join(tmpdir(), "isthmus-picture-"));
const isthmus = (...args) =>
  execFileSync(process.execPath, [join(root, "packages", "cli", "bin", "isthmus.js"), ...args], {
    cwd: folder,
    stdio: ["ignore", "ignore", "inherit"],
  });
try {
  isthmus("demo");
  isthmus("report", join("demo", "barrier.json"), "--svg", "figures", "--quiet");
  mkdirSync(join(root, "docs"), { recursive: true });
  copyFileSync(join(folder, "figures", "loss.svg"), join(root, "docs", "barrier.svg"));
} finally {
  rmSync(folder, { recursive: true });
}
