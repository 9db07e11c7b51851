import * as sync from "node:fs";
import * as files from "node:fs/promises";
import type { Files, OpenFlags } from "../port.ts";

// These call the functions of Node.js, with the types of what a browser has, too. They look them up at each
// call, so that a program that replaces one of them, to watch files or to let them fail, replaces it here.
export const access: Files["access"] = (path) => files.access(path);
export const appendFile: Files["appendFile"] = (path, text) => files.appendFile(path, text);
export const closeSync: Files["closeSync"] = (descriptor) => sync.closeSync(descriptor);
export const existsSync: Files["existsSync"] = (path) => sync.existsSync(path);
export const fstatSync: Files["fstatSync"] = (descriptor) => sync.fstatSync(descriptor);
export const lstat: Files["lstat"] = (path) => files.lstat(path);
export const lstatSync: Files["lstatSync"] = (path) => sync.lstatSync(path);
export const mkdir: Files["mkdir"] = (path, options) => files.mkdir(path, options);
export const open: Files["open"] = (path, flags, mode) => files.open(path, flags, mode);
export const openSync: Files["openSync"] = (path, flags) => sync.openSync(path, flags);
export const readdir = ((path: string, options: { readonly withFileTypes: true }) =>
  files.readdir(path, options)) as unknown as Files["readdir"];
export const readFile: Files["readFile"] = (path, encoding) => files.readFile(path, encoding);
export const readFileSync: Files["readFileSync"] = (path) => sync.readFileSync(path);
export const readSync: Files["readSync"] = (...args) => sync.readSync(...args);
export const realpath: Files["realpath"] = (path) => files.realpath(path);
export const realpathSync: Files["realpathSync"] = (path) => sync.realpathSync.native(path);
export const rename: Files["rename"] = (from, to) => files.rename(from, to);
export const rm: Files["rm"] = (path, options) => files.rm(path, options);
export const rmdir: Files["rmdir"] = (path) => files.rmdir(path);
export const stat = ((path: string, options: { readonly bigint: true }) =>
  files.stat(path, options)) as unknown as Files["stat"];
export const statfs: Files["statfs"] = (path) => files.statfs(path);
export const unlink: Files["unlink"] = (path) => files.unlink(path);
export const writeFile: Files["writeFile"] = (path, content) => files.writeFile(path, content);
export const constants: OpenFlags = sync.constants;

/**
 * Largest synchronous read, in bytes; larger ones are handed to another thread: handing over takes about 60
 * us, four times as long as such a read from the page cache, and the bytes stay in this core's cache.
 */
export const SYNC_READ_BYTES: number = 128 * 1024;

/** Returns the path of an open file by its descriptor, which only Linux reports; undefined elsewhere. */
export const pathOfDescriptor: Files["pathOfDescriptor"] = (descriptor) =>
  process.platform === "linux" ? sync.readlinkSync(`/proc/self/fd/${descriptor}`) : undefined;
