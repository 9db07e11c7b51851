// Stands in for Node's modules until the packages import @isthmus/platform alone: reading a kernel works, anything else throws when it is called.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { packageNames, root } from "../../tools/packages.mjs";

function kernels() {
  const found = packageNames.flatMap((name) => {
    const folder = join(root, "packages", name, "wasm");
    try {
      return readdirSync(folder).map((file) => [
        `${name}/${file}`,
        readFileSync(join(folder, file)).toString("base64"),
      ]);
    } catch {
      return [];
    }
  });
  return Object.fromEntries(found);
}

const STUB = `
const kernels = ${JSON.stringify(kernels())};
const owners = { "elementwise.wasm": undefined };
const decode = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
const special = {
  readFileSync(url) {
    const name = String(url).split("/").pop();
    const key = Object.keys(kernels).find((k) => k === "core/" + name) ?? Object.keys(kernels).find((k) => k.endsWith("/" + name));
    return decode(kernels[key]);
  },
  basename: (path) => path.split("/").pop(),
  resolve: (...paths) => paths.join("/"),
  totalmem: () => 4e9,
  availableParallelism: () => 1,
  createHash: () => ({ update() { return this; }, digest: () => "0".repeat(64) }),
};
class Nothing { getStore() {} run(_, f, ...a) { return f(...a); } }
module.exports = Object.create(new Proxy(special, {
  get: (target, name) => target[name] ?? (["EventEmitter", "Transform", "AsyncLocalStorage", "PassThrough"].includes(name) ? Nothing : function () { throw new TypeError("no " + String(name) + " in a browser"); }),
}));`;

/** Stand-in for modules of Node. */
export const nodeStubs = {
  name: "node-stubs",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(node:|yauzl$|(fs|zlib|util|events|stream|path|crypto|os|buffer)$)/ }, () => ({
      path: "stub",
      namespace: "node-stub",
    }));
    onLoad({ filter: /.*/, namespace: "node-stub" }, () => ({ contents: STUB, loader: "js" }));
  },
};
