import { digestFile } from "@isthmus/core";
import { createWebEngine } from "@isthmus/engine/web";
import * as platform from "@isthmus/platform";
import { mountFile, mountStorage, outputFile, unmountFile } from "@isthmus/platform/browser";
import { type FileStep, takeSteps } from "./file-steps.ts";
import { tryLaw } from "./laws.ts";
import * as work from "./work.ts";

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

const engine = () => createWebEngine({ files: "/" });

/** Functions of the worker that the page calls by name. */
export const COMMANDS = {
  describeFile: work.describeFile,
  readElements: work.readElements,
  readAtOnce: work.readAtOnce,
  saveRandom: work.saveRandom,
  saveMean: work.saveMean,
  mergeLarge: work.mergeLarge,
  drawBarrier: work.drawBarrier,
  compareFiles: work.compareFiles,
  saveBytes: work.saveBytes,
  listFolder: work.listFolder,
  saveWithoutEnd: work.saveWithoutEnd,
  digestFile,
  digestOutput,
  fetchFile,
  mountFile,
  mountStorage,
  unmountFile,
  savePermuted: async (input: string, path: string) => work.savePermuted(await engine(), input, path),
  takeSteps: (base: string, steps: readonly FileStep[]) => takeSteps(platform, base, steps),
  tryLaw: async (name: string, seed: number) => tryLaw(await engine(), name, seed),
};
