import type * as node from "../node/modules.ts";
import { absent } from "./absent.ts";

// What only Node.js has: these names are there, so that programs can be bundled, and calls are refused.
export const createCipheriv: typeof node.createCipheriv = absent("secure aggregation");
export const createDecipheriv: typeof node.createDecipheriv = absent("secure aggregation");
export const createPrivateKey: typeof node.createPrivateKey = absent("secure aggregation");
export const createPublicKey: typeof node.createPublicKey = absent("secure aggregation");
export const diffieHellman: typeof node.diffieHellman = absent("secure aggregation");
export const hkdfSync: typeof node.hkdfSync = absent("secure aggregation");
export const randomBytes: typeof node.randomBytes = absent("secure aggregation");
export const signBytes: typeof node.signBytes = absent("secure aggregation");
export const verifyBytes: typeof node.verifyBytes = absent("secure aggregation");
export const createInterface: typeof node.createInterface = absent("child processes");
export const fork: typeof node.fork = absent("child processes");
export const once: typeof node.once = absent("child processes");
export const spawn: typeof node.spawn = absent("child processes");
export const createRequire: typeof node.createRequire = absent("installed packages");
export const nodeModule: typeof node.nodeModule = absent("modules that users write");
export const Worker: typeof node.Worker = absent("threads");
export const parentPort: typeof node.parentPort = null;
export const workerData: typeof node.workerData = undefined;
