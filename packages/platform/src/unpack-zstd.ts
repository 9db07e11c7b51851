import { codedError } from "./coded-error.ts";
import type { Unpack, UnpackOptions } from "./port.ts";
import { extentOfZstd, type ZstdExtent } from "./zstd-extent.ts";

/** Function that unpacks bytes which Zstandard has packed, in one piece. */
export type UnpackZstd = (
  packed: Uint8Array,
  options: Pick<UnpackOptions, "maxOutputLength">,
) => Promise<Uint8Array>;

/** Largest window in bytes that any data may have: memory that unpacking takes beside what comes out. */
const FREE_WINDOW: number = 2 ** 23;

/**
 * Most bytes that packed and unpacked data may have together in WebAssembly, whose memory holds 2 GiB.
 */
const MAX_WASM_BYTES: number = 2 ** 30;

/**
 * Makes the function that unpacks Zstandard, by Node.js if it can, and otherwise by `zstddec`, which is the
 * decoder of Zstandard itself in WebAssembly and is loaded then.
 *
 * Heads of frames and blocks are read first, so that memory is taken only for as many bytes as may come out.
 * Both decoders stop at the first block that writes more, so that the time is bounded by the bytes in and
 * out; a stated size that is not filled is an error.
 * @param native - function of Node.js, which unpacks one frame; undefined if there is none
 */
export function createUnpackZstd(native: Unpack | undefined): UnpackZstd {
  return async (packed, { maxOutputLength }) => {
    const extent = extentOfZstd(packed);
    assertWithin(extent, maxOutputLength);
    const { stated, bound, frames } = extent;
    if (bound === 0) return new Uint8Array(0);
    const most = Math.max(1, stated ?? Math.min(bound, maxOutputLength));
    const bytes =
      native === undefined || frames > 1
        ? await unpackByWasm(packed, most)
        : native(packed, { maxOutputLength: most });
    if (stated !== undefined && bytes.length !== stated)
      throw codedError("Z_DATA_ERROR", `they state ${stated} bytes, and become ${bytes.length}`);
    return bytes;
  };
}

function assertWithin({ stated = 0, bound, window }: ZstdExtent, most: number): void {
  if (window > Math.max(most, FREE_WINDOW))
    throw codedError("ERR_BUFFER_TOO_LARGE", `they need ${window} bytes of memory to unpack`);
  if (stated > most)
    throw codedError("ERR_BUFFER_TOO_LARGE", `they state ${stated} bytes, more than ${most}`);
  if (stated > bound) throw codedError("Z_DATA_ERROR", `they state ${stated} bytes, and can become ${bound}`);
}

/** Decoder of `zstddec`, as far as it is used. */
interface Decoder {
  init(): Promise<void>;
  decode(packed: Uint8Array, size: number): Uint8Array;
}

let decoder: Promise<Decoder> | undefined;

async function unpackByWasm(packed: Uint8Array, most: number): Promise<Uint8Array> {
  if (packed.length + most > MAX_WASM_BYTES)
    throw codedError(
      "ERR_BUFFER_TOO_LARGE",
      `WebAssembly unpacks ${MAX_WASM_BYTES} bytes at most, with those packed: use Node.js 22.15 or later`,
    );
  decoder ??= import("zstddec").then(({ ZSTDDecoder }) => start(new ZSTDDecoder()));
  const bytes = (await decoder).decode(packed, most);
  // The decoder returns no bytes for damaged ones.
  if (bytes.length > 0) return bytes;
  throw codedError("Z_DATA_ERROR", `a block is damaged, or more than ${most} bytes come out`);
}

/**
 * Starts the decoder. It calls `fetch` at once for the `data:` URL of its WebAssembly, which the policy of a
 * page forbids if the page may connect to its own server alone. So the URL is decoded here, in place of
 * `fetch`, during that one call, which nothing else interrupts.
 */
async function start(decoder: Decoder): Promise<Decoder> {
  const descriptor = Object.getOwnPropertyDescriptor(globalThis, "fetch");
  Object.defineProperty(globalThis, "fetch", { configurable: true, value: decodeDataUrl });
  let ready: Promise<void>;
  try {
    ready = decoder.init();
  } finally {
    if (descriptor === undefined) Reflect.deleteProperty(globalThis, "fetch");
    else Object.defineProperty(globalThis, "fetch", descriptor);
  }
  await ready;
  return decoder;
}

async function decodeDataUrl(url: string): Promise<Pick<Response, "arrayBuffer">> {
  const text = atob(url.slice(url.indexOf(",") + 1));
  const bytes = Uint8Array.from(text, (character) => character.codePointAt(0) ?? 0);
  return { arrayBuffer: () => Promise.resolve(bytes.buffer) };
}
