export { concatBytes, decodeUtf8, encodeLatin1, encodeUtf8 } from "../byte-arrays.ts";
export { crc32c } from "../crc32.ts";
export type { ChildProcess, KeyObject, Readable } from "../node/modules.ts";
export type {
  DiskSpace,
  FileHandle,
  FolderEntry,
  Hash,
  OpenFlags,
  Process,
  Stats,
  Surroundings,
  UnpackOptions,
} from "../port.ts";
export { compareBytes, decodeBase64, decodeLatin1, encodeBase64, swapBytesInPlace } from "./bytes.ts";
export {
  access,
  appendFile,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstat,
  lstatSync,
  mkdir,
  open,
  openSync,
  pathOfDescriptor,
  readdir,
  readFile,
  readFileSync,
  readSync,
  realpath,
  realpathSync,
  rename,
  rm,
  rmdir,
  SYNC_READ_BYTES,
  stat,
  statfs,
  unlink,
  writeFile,
} from "./files.ts";
export { createHash, randomUUID } from "./hash.ts";
export {
  availableParallelism,
  createSurroundings,
  delay,
  handleEvents,
  homedir,
  openFilesLimit,
  peakMemory,
  process,
  totalmem,
} from "./machine.ts";
export { basename, dirname, extname, isAbsolute, join, relative, resolve, sep } from "./paths.ts";
export { isMarkAlive, processMark } from "./process-mark.ts";
export {
  createCipheriv,
  createDecipheriv,
  createInterface,
  createPrivateKey,
  createPublicKey,
  createRequire,
  diffieHellman,
  fork,
  hkdfSync,
  nodeModule,
  once,
  parentPort,
  randomBytes,
  signBytes,
  spawn,
  verifyBytes,
  Worker,
  workerData,
} from "./stand-ins.ts";
export { crc32, gunzip, gunzipAside, inflate, inflateRaw, unpackBrotli, unpackZstd } from "./unpack.ts";
export { fileURLToPath, pathToFileURL } from "./urls.ts";
