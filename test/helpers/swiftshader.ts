import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { bundleScripts } from "./bundle-scripts.mjs";

/** Folder of Debian's browser, which brings a Vulkan loader and SwiftShader, a graphics card in software. */
const FOLDER = "/usr/lib/chromium";
const DRIVER = `${FOLDER}/vk_swiftshader_icd.json`;

/** Environment of a process whose only graphics card is SwiftShader; the loader is found at its start alone. */
export const SWIFTSHADER: Readonly<Record<string, string>> = {
  LD_LIBRARY_PATH: FOLDER,
  VK_ICD_FILENAMES: DRIVER,
};

/** Environment of a process that has no driver of a graphics card, and a loader that says so. */
export const NO_DRIVER: Readonly<Record<string, string>> = {
  LD_LIBRARY_PATH: FOLDER,
  VK_ICD_FILENAMES: "/nowhere/driver.json",
};

/** Whether there is a graphics card in software to test with; `.ci/run` installs it with the browser. */
export const hasSwiftShader: boolean =
  process.platform === "linux" &&
  process.arch === "x64" &&
  existsSync(DRIVER) &&
  existsSync(`${FOLDER}/libvulkan.so.1`);

if (!hasSwiftShader) {
  console.warn(
    `SKIPPED: tests of devices need ${DRIVER} and libvulkan.so.1 beside it, of Debian's package chromium`,
  );
}

const bundles = new Map<string, Promise<readonly URL[]>>();

/** Runs a script in a process of its own, and returns the JSON that it prints. */
export async function runScript<T>(
  script: URL,
  args: readonly string[],
  env: Readonly<Record<string, string>> = SWIFTSHADER,
): Promise<T> {
  // Bundled once, as every process would else translate hundreds of sources.
  const bundled = bundles.get(script.href) ?? bundleScripts([script]);
  bundles.set(script.href, bundled);
  const words = [...(await bundled).map((bundle) => fileURLToPath(bundle)), ...args];
  const options = { env: { ...process.env, ...env }, maxBuffer: 2 ** 26 };
  return new Promise((resolve, reject) => {
    execFile(process.execPath, words, options, (error, stdout, stderr) => {
      if (error === null) resolve(JSON.parse(stdout) as T);
      else reject(new Error(`${error.message}\n${stderr}`));
    });
  });
}
