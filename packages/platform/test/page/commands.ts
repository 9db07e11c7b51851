import { mountFile, mountStorage, outputFile, unmountFile } from "@isthmus/platform/browser";
import { describeFile, saveSmall } from "./work.ts";

/** Takes a file of the server as a person would choose it. */
async function fetchFile(url: string, path: string): Promise<void> {
  const response = await fetch(url);
  mountFile(path, await response.blob());
}

/** Computes SHA-256 of a written file as the browser itself does. */
async function digestOutput(path: string): Promise<string> {
  const bytes = await (await outputFile(path)).arrayBuffer();
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** What the page can ask its worker for. */
export const COMMANDS = {
  describeFile,
  digestOutput,
  fetchFile,
  mountFile,
  mountStorage,
  saveSmall,
  unmountFile,
};
