// What only Node.js has, which browsers refuse; and its paths.
export type { ChildProcess } from "node:child_process";
export { fork, spawn } from "node:child_process";
export type { KeyObject } from "node:crypto";
export {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
  randomBytes,
  sign as signBytes,
  verify as verifyBytes,
} from "node:crypto";
export { once } from "node:events";
export { createRequire, default as nodeModule } from "node:module";
export { basename, dirname, extname, isAbsolute, join, relative, resolve, sep } from "node:path";
export { createInterface } from "node:readline";
export type { Readable } from "node:stream";
export { fileURLToPath, pathToFileURL } from "node:url";
export { parentPort, Worker, workerData } from "node:worker_threads";
